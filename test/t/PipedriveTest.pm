# What the TAP tests share: a simulator, a node with the account imported, sessions that can be left hanging,
# and looks into a backend from outside.
package PipedriveTest;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Spec;
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time sleep);

our @EXPORT = qw(start_simulator make_node import_crm until_true fds_of memory_of log_mark log_since stop_quietly);

my $SIMULATOR = $ENV{PIPEDRIVE_SIMULATOR_DIR}
  || File::Spec->rel2abs(File::Spec->catdir(dirname(__FILE__), '..', 'simulator'));

# ----------------------------------------------------------------------------------------------------------
# Simulator: dies with this process, as it reads our end of a pipe.
# ----------------------------------------------------------------------------------------------------------

sub start_simulator
{
    my (@args) = @_;
    my $port_file = PostgreSQL::Test::Utils::tempdir() . '/simulator.url';
    local $ENV{PYTHONDONTWRITEBYTECODE} = 1;
    my $input = '';
    my $run = IPC::Run::start [ 'python3', $SIMULATOR, '--port-file', $port_file, '--quiet', '--exit-with-stdin',
        '--seed', '1', '--scale', '60', @args ], '<', \$input, '>', File::Spec->devnull, '2>', \*STDERR;
    until_true(sub { -s $port_file }, 60) or BAIL_OUT('the simulator did not start');
    my $url = slurp_file($port_file);
    chomp $url;
    my $self = bless { run => $run, url => $url, http => HTTP::Tiny->new(timeout => 60, proxy => undef, http_proxy => undef) },
      'PipedriveTest::Simulator';
    $self->{urls} = $self->control('GET', 'urls');
    return $self;
}

# ----------------------------------------------------------------------------------------------------------
# Node
# ----------------------------------------------------------------------------------------------------------

# %params: name, simulator, conf (text for postgresql.conf)
sub make_node
{
    my (%params) = @_;
    my $node = PostgreSQL::Test::Cluster->new($params{name} || 'main');
    $node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
    # %n: seconds with milliseconds, as a number
    $node->append_conf('postgresql.conf', <<"END_OF_CONF");
log_line_prefix = '%n [%p] %q%a '
log_statement = all
lc_messages = 'C'
timezone = 'UTC'
fsync = off
max_connections = 40
shared_buffers = 32MB
autovacuum = off
END_OF_CONF
    $node->append_conf('postgresql.conf', $params{conf}) if $params{conf};
    $node->start;
    import_crm($node, 'postgres', $params{simulator}) if $params{simulator};
    return $node;
}

# Server crm and schema crm with all tables. The mapping is made with nothing logged.
sub import_crm
{
    my ($node, $database, $simulator, $token) = @_;
    $token ||= 'sim-token-admin';
    $node->safe_psql($database, <<"END_OF_SQL");
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pipedrive_fdw;
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{url}', max_retries '100');
SET log_statement = none;
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token '$token');
RESET log_statement;
CREATE SCHEMA crm;
IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm;
END_OF_SQL
    return;
}

# Ends the node whatever it is doing; not part of what is tested.
sub stop_quietly
{
    my ($node) = @_;
    $node->stop('immediate');
    return;
}

# ----------------------------------------------------------------------------------------------------------
# Looks from outside
# ----------------------------------------------------------------------------------------------------------

# Calls the function until it is true; undef after some seconds.
sub until_true
{
    my ($function, $seconds) = @_;
    my $end = time + ($seconds || 30);
    while (1)
    {
        my $result = $function->();
        return $result if $result;
        return if time > $end;
        sleep 0.005;
    }
}

# Open sockets and epoll descriptors of a process: what a scan can leak.
sub fds_of
{
    my ($pid) = @_;
    my $n = 0;
    for my $link (glob "/proc/$pid/fd/*")
    {
        my $target = readlink $link;
        $n++ if defined $target && $target =~ /^(?:socket|anon_inode|pipe):/;
    }
    return $n;
}

# A size in kB from /proc/PID/status: VmRSS, VmHWM.
sub memory_of
{
    my ($pid, $what) = @_;
    return slurp_file("/proc/$pid/status") =~ /^$what:\s+(\d+) kB/m ? $1 : die "no $what of $pid";
}

sub log_mark { my ($node) = @_; return -s $node->logfile; }
sub log_since { my ($node, $mark) = @_; return slurp_file($node->logfile, $mark); }

# ----------------------------------------------------------------------------------------------------------
package PipedriveTest::Simulator;

use Time::HiRes qw(sleep);

sub control
{
    my ($self, $method, $path, $body) = @_;
    my $answer = $self->{http}->request($method, "$self->{url}/__simulator/$path",
        { defined $body ? (content => JSON::PP::encode_json($body)) : () });
    die "simulator: $method $path: $answer->{content}" unless $answer->{success};
    return $path =~ /\.txt$/ ? $answer->{content} : JSON::PP::decode_json($answer->{content} || 'null');
}

sub fault { my ($self, @faults) = @_; return $self->control('POST', 'faults', \@faults); }
sub no_faults { my ($self) = @_; return $self->control('DELETE', 'faults'); }
sub clear { my ($self) = @_; return $self->control('DELETE', 'journal'); }
sub journal { my ($self) = @_; return @{ $self->control('GET', 'journal') }; }

sub stop
{
    my ($self) = @_;
    $self->{run}->signal('TERM');
    $self->{run}->finish;
    return;
}

# ----------------------------------------------------------------------------------------------------------
# A psql that stays. Answers end at a marker, so that one can send a query and look at it later.
package PipedriveTest::Session;

use Time::HiRes qw(time sleep);

sub new
{
    my ($class, $node, %params) = @_;
    my $self = bless { stdin => '', stdout => '', stderr => '', n => 0, node => $node }, $class;
    my @command = ($node->installed_command('psql'), '-X', '-A', '-t', '-q', '-v', 'VERBOSITY=verbose', '-d',
        $node->connstr($params{database} || 'postgres') . ($params{user} ? " user=$params{user}" : ''));
    local $ENV{PGAPPNAME} = $params{name} || 'session';
    local $ENV{PGCLIENTENCODING} = $params{encoding} if $params{encoding};
    $self->{run} = IPC::Run::start(\@command, '<', \$self->{stdin}, '>', \$self->{stdout}, '2>', \$self->{stderr},
        IPC::Run::timeout(180));
    $self->{pid} = $self->value('SELECT pg_backend_pid()');
    return $self;
}

sub psql_pid { my ($self) = @_; return $self->{run}{KIDS}[0]{PID}; }

# Sends it and does not wait for the answer.
sub send
{
    my ($self, $sql) = @_;
    $self->{n}++;
    $self->{stdin} .= "$sql\n;\n\\echo end-$self->{n}\n\\warn end-$self->{n}\n";
    $self->{run}->pump_nb;
    return;
}

sub is_done
{
    my ($self) = @_;
    $self->{run}->pump_nb if $self->{run}->pumpable;
    my $mark = "end-$self->{n}\n";
    return index($self->{stdout}, $mark) >= 0 && index($self->{stderr}, $mark) >= 0;
}

# (output, errors) of what was sent.
sub answer
{
    my ($self) = @_;
    my $mark = "end-$self->{n}\n";
    until ($self->is_done) {
        last unless $self->{run}->pumpable;
        $self->{run}->pump;
    }
    my ($out, $err) = ($self->{stdout}, $self->{stderr});
    $self->{stdout} = $self->{stderr} = '';
    s/end-\d+\n//g for $out, $err;
    chomp $out;
    return ($out, $err);
}

sub query { my ($self, $sql) = @_; $self->send($sql); return $self->answer; }

# The output of what must not fail.
sub value
{
    my ($self, $sql) = @_;
    my ($out, $err) = $self->query($sql);
    die "$sql: $err" if $err =~ /ERROR|FATAL/;
    return $out;
}

# Waits until the backend is inside a wait of the extension.
sub waits_for_api
{
    my ($self) = @_;
    # an own connection: this session is busy
    return PipedriveTest::until_true(sub {
        $self->{node}->safe_psql('postgres', "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $self->{pid}") eq 't';
    });
}

# Ends psql; without an answer to what was sent, if it has to be.
sub quit
{
    my ($self) = @_;
    $self->{stdin} .= "\\q\n";
    eval { $self->{run}->finish };
    return;
}

sub kill
{
    my ($self) = @_;
    eval { $self->{run}->kill_kill(grace => 2) };
    return;
}

1;
