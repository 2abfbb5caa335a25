# The API token shows nowhere but in a request's header: not in the server log at DEBUG5, in what clients see, in
# statistics views, in plans, or in a URL; and it goes to no other host.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $token = 'sim-token-admin';
my $part = 'sim-token'; # half a secret is one too

my $simulator = start_simulator();
my $other = start_simulator('--scale', '1');
my $node = make_node(simulator => $simulator);
my $has_statements = -e $node->config_data('--pkglibdir') . '/pg_stat_statements.so';
$node->append_conf('postgresql.conf', <<'END_OF_CONF');
log_min_messages = debug5
log_min_error_statement = debug5
log_error_verbosity = verbose
log_statement = all
log_duration = on
log_connections = on
log_disconnections = on
debug_print_plan = on
debug_print_rewritten = on
log_executor_stats = on
track_activity_query_size = 16kB
END_OF_CONF
if ($has_statements)
{
    $node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_stat_statements'");
    $node->restart;
    $node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');
}
else
{
    $node->restart;
}
my $mark = log_mark($node); # the mapping was made before
$simulator->clear;

my $seen = '';      # all that a client saw
my %outcome;        # what each fault led to

my @queries = (
    'SELECT id, title, status FROM crm.deals ORDER BY id LIMIT 3',
    q{SELECT count(*) FROM crm.deals WHERE status = 'open' AND update_time > now() - interval '5 years'},
    'SELECT count(*) FROM crm.persons WHERE id = ANY (ARRAY[1,2,3])',
    'SELECT * FROM crm.deals WHERE is_archived LIMIT 1',
    'EXPLAIN (VERBOSE) SELECT * FROM crm.deals WHERE owner_id = 5',
    'EXPLAIN (ANALYZE, VERBOSE, FORMAT json) SELECT title FROM crm.deals WHERE id IN (1, 2)',
    'EXPLAIN (ANALYZE, VERBOSE, SETTINGS, BUFFERS) SELECT * FROM crm.activities a JOIN crm.deals d ON d.id = a.deal_id',
    'PREPARE p (bigint) AS SELECT count(*) FROM crm.deals WHERE id = $1; EXECUTE p (1); EXPLAIN EXECUTE p (2); DEALLOCATE p',
    'CREATE SCHEMA i; IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO i; DROP SCHEMA i CASCADE',
    'SELECT pipedrive.version(); SELECT * FROM pipedrive.options; SELECT * FROM pipedrive.entity_columns',
    'SELECT no_such_column FROM crm.deals',
    'SELECT id / 0 FROM crm.deals',
    'SELECT count(*) FROM crm.deals WHERE id = 9223372036854775807',
);

sub ask
{
    my (@statements) = @_;
    # each in its own session: nothing is cached
    my ($status, $out, $err) = $node->psql('postgres',
        "\\set VERBOSITY verbose\n\\set ON_ERROR_STOP 0\nSET client_min_messages = debug5;\n" . join(";\n", @statements) . ';',
        on_error_stop => 0, timeout => 120);
    $seen .= $out . $err;
    return $err;
}

ask($_) for @queries;

# Every kind of fault. Those that last are cut off by statement_timeout or a short option.
$node->safe_psql('postgres', q{ALTER SERVER crm OPTIONS (SET max_retries '1', ADD request_timeout '300ms')});
my $list = { path_regex => 'deals$' };
my @faults = (
    (map { { kind => 'status', status => $_ } } 300, 400, 401, 402, 403, 404, 410, 418, 422, 429, 500, 501, 503),
    { kind => 'status', status => 429, body => { success => JSON::PP::false(), error => 'daily request budget exceeded' } },
    (map { { kind => $_ } } qw(html403 success_false null_body empty_body invalid_json deep_nesting nul bad_utf8 wrong_type
        duplicate_keys remove_key bad_gzip hang hang_mid_body truncated wrong_length close)),
    { kind => 'redirect', location => "$other->{url}/api/v2/deals" },
    { kind => 'huge', bytes => 1_000_000 },
    { kind => 'slow_drip', bytes => 1, interval_ms => 50 },
    { kind => 'reset', where => 'headers' }, { kind => 'reset', where => 'body' },
    # a peer that sends the token back, also where the text is cut
    (map { my $status = $_;
        map { { kind => 'status', status => $status, body => 'x' x $_ . " $token $token-$token" },
              { kind => 'status', status => $status, body => { success => JSON::PP::false(), error => 'x' x $_ . $token, error_info => $token } } }
          0, 480, 490, 500, 505 } 400, 401, 403, 500),
    (map { { kind => 'status', status => 200, content_type => 'text/html', body => 'y' x $_ . $token } } 0, 490, 500),
    { kind => 'wrong_type', field => 'id', value => $token },
    { kind => 'wrong_type', field => 'update_time', value => $token },
    { kind => 'wrong_type', field => 'value', value => $token },
    { kind => 'wrong_type', field => 'owner_id', value => { $token => $token } },
    { kind => 'success_false', error => "bad token $token" },
    { kind => 'invalid_json', body => qq({"success": true, "data": [{"id": 1, "title": "$token" $token}]}) },
);
my $failed = 0;
for my $fault (@faults)
{
    $simulator->no_faults;
    $simulator->fault({ %$fault, match => $list });
    my $err = ask(q{SET statement_timeout = '1500ms'; SELECT count(*), max(title), max(update_time), max(value), max(owner_id) FROM crm.deals});
    $failed++ if $err =~ /^(?:psql:.*: )?ERROR:/m;
}
$simulator->no_faults;
cmp_ok($failed, '>', 40, "$failed of " . @faults . ' faults were errors');

# IMPORT under faults.
for my $fault ({ kind => 'status', status => 401 }, { kind => 'invalid_json' }, { kind => 'status', status => 400, body => "no $token" })
{
    $simulator->fault({ %$fault, match => { path_regex => 'Fields$' } });
    ask('IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO public');
    $simulator->no_faults;
}

# Bad addresses and peers that are not there.
for my $url ($simulator->{urls}{refused}, $simulator->{urls}{hang_connect}, 'http://localhost:1', 'https://127.0.0.1:1', 'https://no-such-host.invalid')
{
    ask("ALTER SERVER crm OPTIONS (SET api_base_url '$url')", q{SET statement_timeout = '500ms'}, 'SELECT count(*) FROM crm.deals');
}
ask("ALTER SERVER crm OPTIONS (SET api_base_url '$simulator->{url}')");

# What others see while a scan hangs, and afterwards.
{
    $simulator->fault({ kind => 'hang', match => $list });
    my $session = PipedriveTest::Session->new($node);
    $session->send(q{SELECT * FROM crm.deals WHERE status = 'open'});
    $session->waits_for_api;
    $seen .= $node->safe_psql('postgres', 'SELECT * FROM pg_stat_activity; SELECT * FROM pg_locks; SELECT * FROM pg_stat_get_activity(NULL)');
    $seen .= slurp_file("/proc/$session->{pid}/cmdline") . slurp_file("/proc/$session->{pid}/environ");
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($session->{pid})");
    $session->answer;
    $session->query("SELECT pg_log_backend_memory_contexts($session->{pid})");
    $seen .= join '', $session->query('SELECT * FROM pg_backend_memory_contexts; SELECT * FROM pg_prepared_statements; SELECT * FROM pg_cursors');
    $session->quit;
    $simulator->no_faults;
}
$seen .= $node->safe_psql('postgres', 'SELECT * FROM pg_stat_statements') if $has_statements;

# Another user sees that there is a mapping, not what is in it; and gets no rows through it.
$node->safe_psql('postgres', 'CREATE ROLE nosy LOGIN; GRANT USAGE ON SCHEMA crm TO nosy; GRANT SELECT ON ALL TABLES IN SCHEMA crm TO nosy; GRANT USAGE ON FOREIGN SERVER crm TO nosy');
for my $sql ('SELECT * FROM pg_user_mappings', 'SELECT * FROM information_schema.user_mapping_options', 'SELECT * FROM information_schema.user_mappings',
    'SELECT * FROM information_schema.foreign_server_options', 'SELECT count(*) FROM crm.deals', 'EXPLAIN VERBOSE SELECT * FROM crm.deals')
{
    my (undef, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-U', 'nosy' ], on_error_stop => 0);
    $seen .= $out . $err;
    like($err, qr/user mapping not found for user "nosy"/, 'no mapping, no rows') if $sql =~ /^SELECT count/;
}

sub no_leak
{
    my ($text, $name) = @_;
    my @leaks = grep { index($_, $part) >= 0 } split /\n/, $text;
    is(scalar @leaks, 0, $name)
      or diag(join "\n", map { substr($_, 0, 80) . ' ... ' . substr($_, index($_, $part), 60) } @leaks);
    return;
}

no_leak($seen, 'clients never saw the token, nor a part of it');
my $log = log_since($node, $mark);
cmp_ok(length $log, '>', 1_000_000, 'the server log is a talkative one');
no_leak($log, 'the server log does not hold the token, nor a part of it');

# An option that is refused does not show its value, whatever was wrong with it.
{
    my $mark_now = log_mark($node);
    my $errors = '';
    for my $options (q{api_tokn 'HUSH-1'}, q{api_token E'HUSH-2\n'}, q{api_token 'HUSH-3 with blank'}, q{api_token ''}, q{api_token 'HUSH-4', password 'HUSH-4'},
        q{api_token 'HUSH-5é'}, 'api_token \'HUSH-6' . 'x' x 600 . q{'})
    {
        my (undef, undef, $err) = $node->psql('postgres',
            "SET log_statement = none; SET log_min_error_statement = panic; SET log_min_messages = notice; SET log_duration = off; SET debug_print_rewritten = off; SET debug_print_plan = off; SET log_executor_stats = off;\n"
              . "CREATE USER MAPPING FOR nosy SERVER crm OPTIONS ($options)", on_error_stop => 0);
        like($err, qr/ERROR/, 'refused: ' . substr $options, 0, 40);
        $errors .= $err =~ s/^LINE.*$//mgr;
    }
    unlike($errors, qr/HUSH/, 'a refused token is not in the error');
    unlike(log_since($node, $mark_now), qr/ERROR:.*HUSH/, 'nor in the log');
    my (undef, undef, $err) = $node->psql('postgres', q{CREATE SERVER s FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (company_domain 'acme', api_token 'HUSH-7')});
    like($err, qr/ERROR/, 'a token is no option of a server');
    unlike($err =~ s/^LINE.*$//mgr, qr/HUSH/, 'and is not shown');
}

# The journal: the token is in the header of every request and in no URL.
my @requests = $simulator->journal;
cmp_ok(scalar @requests, '>', 100, scalar(@requests) . ' requests');
is(scalar(grep { !$_->{token_in_header} } @requests), 0, 'each has the token in its header');
is(scalar(grep { $_->{token_in_url} } @requests), 0, 'none in the URL by name');
is(scalar(grep { "$_->{path}?$_->{query}$_->{user_agent}" =~ /\Q$part\E/ } @requests), 0, 'none in path, query or user agent');
is(scalar(my @elsewhere = $other->journal), 0, 'a redirect to another host is not followed');

stop_quietly($node);
$simulator->stop;
$other->stop;
done_testing();
