# Several sessions, several scans in one session, cursors, and what is left after aborted transactions.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
$node->safe_psql('postgres', <<'END_OF_SQL');
SET log_statement = none;
CREATE ROLE limited LOGIN;
CREATE ROLE second LOGIN;
CREATE ROLE viewer LOGIN;
CREATE USER MAPPING FOR limited SERVER crm OPTIONS (api_token 'sim-token-limited');
CREATE USER MAPPING FOR second SERVER crm OPTIONS (api_token 'sim-token-second');
GRANT USAGE ON SCHEMA crm TO limited, second, viewer;
GRANT SELECT ON ALL TABLES IN SCHEMA crm TO limited, second;
CREATE VIEW of_owner AS SELECT id, title FROM crm.deals;
GRANT SELECT ON of_owner TO limited, viewer;
-- one row a page, or three
CREATE SERVER pages FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url 'http://127.0.0.1:1', page_size '3');
CREATE USER MAPPING FOR CURRENT_USER SERVER pages OPTIONS (api_token 'sim-token-admin');
CREATE FOREIGN TABLE pages (id bigint, title text, status text, is_archived boolean) SERVER pages OPTIONS (entity 'deals');
END_OF_SQL
$node->safe_psql('postgres', "ALTER SERVER pages OPTIONS (SET api_base_url '$simulator->{url}')");

# -- two users of one server see their own rows ---------------------------------------------------------------

my $ids = q{SELECT md5(string_agg(id::text, ',' ORDER BY id)) || ' ' || count(*) FROM crm.deals};
my $admin = PipedriveTest::Session->new($node);
my $limited = PipedriveTest::Session->new($node, user => 'limited');
my $all = $admin->value($ids);
my $some = $limited->value($ids);
isnt($some, $all, 'two users with different tokens see different rows');
my ($n_all, $n_some) = map { (split ' ')[1] } $all, $some;
cmp_ok($n_some, '<', $n_all, "the limited one sees fewer: $n_some of $n_all");
cmp_ok($n_some, '>', 0, 'and some');
is($limited->value('SELECT count(*) FROM of_owner'), $n_all, q{a view reads with its owner's token});
{
    my $viewer = PipedriveTest::Session->new($node, user => 'viewer');
    is($viewer->value('SELECT count(*) FROM of_owner'), $n_all, 'also for a user without a mapping');
    like(($viewer->query('SELECT count(*) FROM crm.deals'))[1], qr/ERROR:  42501/, 'who may not read the table itself');
    $viewer->quit;
}
# One backend that changes its user must not go on with the other's connection, labels or rows.
my $changes = join "\n", map { "SET ROLE $_;\n$ids;\nRESET ROLE;\n$ids;" } qw(limited second limited);
is_deeply([ split /\n/, ($admin->query($changes))[0] ], [ $some, $all, $all, $all, $some, $all ], 'SET ROLE changes the token with the user')
  or diag(join ' ', $admin->query($changes));
{
    $simulator->clear;
    my @answers = map { $_->value('SELECT count(*) FROM crm.deals') } $admin, $limited;
    is("@answers", "$n_all $n_some", 'alternating sessions');
    # A cached plan, made for one user and run for another.
    my $prepared = ($admin->query(<<'END_OF_SQL'))[0];
SET plan_cache_mode = force_generic_plan;
PREPARE mine AS SELECT count(*) FROM crm.deals;
EXECUTE mine;
SET ROLE limited;
EXECUTE mine;
RESET ROLE;
EXECUTE mine;
RESET plan_cache_mode;
DEALLOCATE mine;
END_OF_SQL
    is($prepared, "$n_all\n$n_some\n$n_all", 'a cached plan reads as the user who runs it');
}

# -- many sessions at once ---------------------------------------------------------------------------------

{
    my @sessions = map { PipedriveTest::Session->new($node, name => "s$_", user => $_ % 3 == 2 ? 'limited' : undef) } 0 .. 8;
    $simulator->control('PUT', 'latency', { ms => 20 });
    $_->send("$ids;\n$ids") for @sessions;
    my @wrong = grep { my $expected = $_ % 3 == 2 ? $some : $all; ($sessions[$_]->answer)[0] ne "$expected\n$expected" } 0 .. 8;
    is_deeply(\@wrong, [], 'nine sessions at once get their own rows');
    $simulator->control('PUT', 'latency', { ms => 0 });
    $_->quit for @sessions;
}

# -- one connection for many pages ---------------------------------------------------------------------------

{
    my $session = PipedriveTest::Session->new($node);
    $session->value('SELECT count(*) FROM pages LIMIT 1');
    $simulator->clear;
    is($session->value('SELECT count(*) FROM pages'), $n_all, 'all rows in pages of three');
    my @requests = $simulator->journal;
    my %connections = map { $_->{connection} => 1 } @requests;
    cmp_ok(scalar @requests, '>', 15, scalar(@requests) . ' requests');
    is(scalar keys %connections, 1, 'over one connection');
    $session->value('SELECT count(*) FROM pages') for 1 .. 5;
    @requests = $simulator->journal;
    %connections = map { $_->{connection} => 1 } @requests;
    cmp_ok(scalar keys %connections, '<=', 2, 'also for the next statements');
    # The peer closes an idle connection: nobody notices.
    $simulator->fault({ kind => 'close', match => {} });
    is($session->value('SELECT count(*) FROM pages'), $n_all, 'a connection closed by the peer after each answer is opened again');
    $simulator->no_faults;
    $session->quit;
}

# -- scans side by side in one session, cursors ------------------------------------------------------------------

{
    my $session = PipedriveTest::Session->new($node);
    $session->value('SELECT count(*) FROM pages');
    my $idle = fds_of($session->{pid});
    my @names = map { "c$_" } 1 .. 20;
    my $sql = "BEGIN;\n" . join '', map { "DECLARE $_ CURSOR FOR SELECT id FROM pages ORDER BY is_archived, id;\n" } @names[0 .. 3];
    $sql .= join '', map { "DECLARE $_ CURSOR FOR SELECT id FROM pages;\n" } @names[4 .. 19];
    $session->value($sql);
    my %rows;
    for my $round (1 .. 12)
    {
        for my $name (@names)
        {
            push @{ $rows{$name} }, split /\n/, $session->value("FETCH 7 FROM $name");
        }
    }
    my %counts = map { scalar(@{ $rows{$_} }) => 1 } @names;
    is_deeply([ keys %counts ], [$n_all], 'twenty cursors, fetched in turns, see all rows each');
    my %sets = map { join(',', sort { $a <=> $b } @{ $rows{$_} }) => 1 } @names;
    is(scalar keys %sets, 1, 'the same ones');
    $session->value('COMMIT');
    cmp_ok(fds_of($session->{pid}), '<=', $idle + 5, 'few connections stay open');

    my $held = $session->value("BEGIN;\nDECLARE held CURSOR WITH HOLD FOR SELECT id FROM pages;\nFETCH 1 FROM held;\nCOMMIT;\nFETCH ALL FROM held");
    is(scalar(my @held = split /\n/, $held), $n_all, 'a holdable cursor has all rows after its transaction');
    is($session->value(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pipedrive%'}), '0', 'without its scan');
    $session->value('CLOSE held');
    $session->quit;
}

# -- aborts ------------------------------------------------------------------------------------------------------

{
    my $session = PipedriveTest::Session->new($node);
    $session->value('SELECT count(*) FROM pages');
    my $idle = fds_of($session->{pid});
    for (1 .. 20)
    {
        $session->query("BEGIN;\nDECLARE a CURSOR FOR SELECT * FROM pages;\nFETCH 2 FROM a;\nDECLARE b CURSOR FOR SELECT * FROM crm.persons;\nFETCH 1 FROM b;\nSELECT 1 / 0;\nROLLBACK");
        $session->query("BEGIN;\nSAVEPOINT s;\nDECLARE a CURSOR FOR SELECT * FROM pages;\nFETCH 2 FROM a;\nROLLBACK TO s;\nFETCH 1 FROM a;\nROLLBACK");
    }
    cmp_ok(fds_of($session->{pid}), '<=', $idle + 2, 'aborted transactions with open cursors leave no sockets');
    is($session->value(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pipedrive%'}), '0', 'and no scan');

    # A cursor opened before a savepoint goes on after a rollback to it.
    my ($out, $err) = $session->query("BEGIN;\nDECLARE a CURSOR FOR SELECT id FROM pages;\nMOVE 4 IN a;\nSAVEPOINT s;\nFETCH 1 FROM a;\nSELECT 1/0;\nROLLBACK TO s;\nMOVE ALL IN a;\nCOMMIT");
    unlike($err, qr/ERROR:  (?!22012)/, 'a cursor outlives a rolled back savepoint');

    $session->value(<<'END_OF_SQL');
CREATE FUNCTION fail_often(times int, sql text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    caught int := 0;
    r record;
BEGIN
    FOR i IN 1 .. times LOOP
        BEGIN
            FOR r IN EXECUTE sql LOOP
                PERFORM 1 / (r.id - r.id);
            END LOOP;
        EXCEPTION WHEN OTHERS THEN
            caught := caught + 1;
        END;
    END LOOP;
    RETURN caught;
END $$
END_OF_SQL
    my $memory = 'SELECT sum(total_bytes) FROM pg_backend_memory_contexts';
    $simulator->fault({ kind => 'invalid_json', match => { path_regex => 'organizations$' } }, { kind => 'reset', where => 'body', match => { path_regex => 'activities$' } });
    $node->safe_psql('postgres', q{ALTER SERVER crm OPTIONS (SET max_retries '0')});
    for my $case ([ 1000, 'SELECT id FROM pages', 'in the middle of a scan' ], [ 1000, 'SELECT id, name FROM crm.organizations', 'by an answer that is no JSON' ],
        [ 300, 'SELECT id FROM crm.activities', 'by a broken connection' ])
    {
        my ($times, $sql, $name) = @$case;
        $session->value("SELECT fail_often(100, '$sql')");
        my ($fds, $bytes, $rss) = (fds_of($session->{pid}), $session->value($memory), memory_of($session->{pid}, 'VmRSS'));
        is($session->value("SELECT fail_often($times, '$sql')"), $times, "$times subtransactions fail $name");
        cmp_ok(fds_of($session->{pid}), '<=', $fds + 1, '... no sockets are left');
        cmp_ok($session->value($memory), '<=', $bytes + 64 * 1024, '... no memory contexts');
        cmp_ok(memory_of($session->{pid}, 'VmRSS'), '<=', $rss + 2048, '... no memory of the library');
    }
    $simulator->no_faults;
    is($session->value('SELECT count(*) FROM pages'), $n_all, 'the session works');
    $session->quit;
}

$_->quit for $admin, $limited;
stop_quietly($node);
$simulator->stop;
done_testing();
