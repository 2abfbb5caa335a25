# ALTER EXTENSION UPDATE from 0.1.0, as it was at two moments (it was never released, so anybody may have either): what was
# there is there, the installation equals a fresh one object by object, and it works; and so does a dump of it.
#
# The scripts of 0.1.0 are src/install/*.sql of commits b175b05 and 1916121, put together as their Makefile did. They run in a
# private copy of PostgreSQL's directories, so that nothing old is installed anywhere.

use strict;
use warnings;

use File::Basename qw(dirname basename);
use File::Copy qw(copy);
use File::Path qw(make_path);
use IO::Uncompress::Gunzip qw(gunzip $GunzipError);
use JSON::PP;
use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $HERE = dirname(__FILE__) . '/../upgrade';
my $VERSION = qr/^default_version = '(.*)'$/m;

# ----------------------------------------------------------------------------------------------------------
# PostgreSQL, with an extension directory of our own
# ----------------------------------------------------------------------------------------------------------

# The server finds its directories from where it lies itself, so a copy of its programs is enough; the rest are links.
sub private_postgres
{
    my $config = $ENV{PG_CONFIG} || 'pg_config';
    my %from = map { my $dir = `$config --$_`; chomp $dir; $_ => $dir } qw(bindir sharedir pkglibdir);
    my $root = PostgreSQL::Test::Utils::tempdir() . '/pg';
    my %to = map { $_ => "$root$from{$_}" } keys %from;
    make_path(dirname($to{pkglibdir}), $to{bindir}, "$to{sharedir}/extension");
    symlink $from{pkglibdir}, $to{pkglibdir} or die "symlink: $!" unless -e $to{pkglibdir};
    for my $program (glob "$from{bindir}/*")
    {
        my $copy = "$to{bindir}/" . basename($program);
        copy($program, $copy) && chmod 0755, $copy or die "$program: $!";
    }
    for my $file (grep { !m{/extension$} } glob("$from{sharedir}/*"), glob "$from{sharedir}/extension/*")
    {
        symlink $file, $to{sharedir} . substr($file, length $from{sharedir}) or die "symlink: $!";
    }
    return (dirname($to{bindir}), "$to{sharedir}/extension");
}

sub install_old
{
    my ($extensions, $commit) = @_;
    my $sql;
    gunzip("$HERE/pipedrive_fdw--0.1.0.$commit.sql.gz" => \$sql) or die $GunzipError;
    # functions of the library that the old SQL needs and the new library has not; nothing here calls them
    $sql =~ s/'pipedrive_fdw_walk_(?:begin|end)'/'pipedrive_fdw_walk'/g;
    my $file = "$extensions/pipedrive_fdw--0.1.0.sql";
    unlink $file;
    append_to_file($file, $sql);
    return;
}

my $simulator = start_simulator();
my ($install_path, $extensions) = private_postgres();
my ($new_version) = slurp_file("$extensions/pipedrive_fdw.control") =~ $VERSION;
my $node = PostgreSQL::Test::Cluster->new('main', install_path => $install_path);
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', "fsync = off\ntimezone = 'UTC'\nlc_messages = 'C'\nmax_connections = 40\n");
$node->start;

sub sql { my ($database, $text) = @_; return $node->safe_psql($database, "SET client_min_messages = warning; $text") }
sub catalogue
{
    my ($database) = @_;
    my ($out, $err) = ('', '');
    my ($status) = $node->psql($database, slurp_file("$HERE/catalogue.sql"), stdout => \$out, stderr => \$err);
    die "catalogue of $database: $err" if $status != 0 || $err =~ /ERROR/;
    return $out;
}

# Lines that only one of two has; what a test prints should be short.
sub differences
{
    my ($got, $expected) = @_;
    my %count;
    $count{$_}++ for split /\n/, $got;
    $count{$_}-- for split /\n/, $expected;
    return join "\n", map { ($count{$_} > 0 ? '+' : '-') . substr $_, 0, 300 } sort grep { $count{$_} } keys %count;
}

$node->safe_psql('postgres', 'CREATE DATABASE fresh');
sql('fresh', 'CREATE EXTENSION pipedrive_fdw');
my $fresh = catalogue('fresh');
cmp_ok(scalar(() = $fresh =~ /^routine /mg), '>', 200, 'a catalogue is more than nothing');
sql('fresh', "COMMENT ON COLUMN pipedrive.changes.field IS 'another'; ALTER FUNCTION pipedrive_internal.today() IMMUTABLE");
is(scalar(split /\n/, differences(catalogue('fresh'), $fresh)), 4, 'and tells what is not equal');
import_crm($node, 'fresh', $simulator);
sql('fresh', 'CALL pipedrive.apply_retention()');
my $PARTITIONS = q{SELECT c.relname, regexp_replace(pg_get_indexdef(x.indexrelid), 'changes_\d{6}', 'changes', 'g') FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid
                    WHERE c.relname ~ '^changes_\d{6}$' ORDER BY 1, 2};
my $partitions = sql('fresh', $PARTITIONS);
my $fields = sql('fresh', q{SELECT format('INSERT INTO pipedrive.fields VALUES (%L, %L, %L, %L, %L);', server, mapped_user, entity, fields, read_at - interval '1 day') FROM pipedrive_internal.fields});
sql('postgres', "CREATE ROLE analyst; CREATE ROLE keeper; CREATE ROLE door; CREATE ROLE viewer");

# ----------------------------------------------------------------------------------------------------------
# What a user of 0.1.0 has
# ----------------------------------------------------------------------------------------------------------

my @MIRRORED = qw(activities deals organizations persons pipelines stages users);

sub event
{
    my ($key, $object, $id, $action, $data) = @_;
    $data = defined $data ? "{\"id\": $id, $data}" : 'null';
    return "'{\"meta\": {\"version\": \"2.0\", \"id\": \"$key\", \"entity\": \"$object\", \"entity_id\": \"$id\", \"action\": \"$action\", "
      . "\"timestamp\": \"2030-01-01T00:00:00Z\", \"company_id\": \"100200300\"}, \"data\": $data}'::jsonb";
}

sub use_old
{
    my ($database, $late) = @_;
    import_crm($node, $database, $simulator);
    sql($database, "SELECT pipedrive.create_mirror('crm.$_')") for @MIRRORED;
    if ($late)
    {
        sql($database, "CALL pipedrive.sync()");
    }
    else
    {
        # its sync() needs a library of its own
        for my $table (@MIRRORED)
        {
            sql($database, "SELECT format('INSERT INTO crm_mirror.$table (%1\$s) SELECT %1\$s FROM crm.$table', pipedrive._column_list('crm_mirror.$table')) \\gexec");
        }
        sql($database, "UPDATE pipedrive.mirror_state SET loaded = true, last_sync = now() - interval '1 hour', run_started = now() - interval '61 minutes',
                               run_newest = '2026-03-01', watermark = CASE WHEN mirror_id IN (SELECT mirror_id FROM pipedrive.mirror WHERE entity IN ('pipelines', 'stages', 'users')) THEN NULL
                                                                          ELSE timestamptz '2026-03-31 11:59:00Z' END, change_serial = 7;
                        INSERT INTO pipedrive.server_company VALUES ('crm', '100200300')");
    }
    sql($database, $fields) unless sql($database, 'SELECT count(*) FROM pipedrive.fields'); # written by a library of its own, too
    sql($database, <<'END_OF_SQL');
INSERT INTO pipedrive.settings VALUES ('inbox_retention', '3 days'), ('max_deleted_percent', '100');
CALL pipedrive.apply_retention();
CREATE MATERIALIZED VIEW by_stage AS SELECT stage_id, count(*) AS n, sum(value) AS value FROM crm_mirror.deals GROUP BY stage_id;
CREATE UNIQUE INDEX ON by_stage (stage_id);
CREATE MATERIALIZED VIEW moves AS SELECT stage_id, count(*) AS n FROM crm_mirror.stage_history GROUP BY stage_id;
SELECT pipedrive.track_view('by_stage', '1 hour'), pipedrive.track_view('moves');
SELECT pipedrive.create_dashboards('crm_mirror');
CALL pipedrive.refresh_views();
SELECT pipedrive.create_webhook_login('crm');
INSERT INTO pipedrive.webhook_subscription (server, webhook_id, object, url, user_name) SELECT 'crm', 17, '*', 'https://example.test/hook', user_name FROM pipedrive.webhook_login;
INSERT INTO pipedrive.backfilled (mirror_id, id) SELECT mirror_id, 3 FROM pipedrive.mirror WHERE entity = 'deals';
INSERT INTO pipedrive.refetch (mirror_id, id, reason) SELECT mirror_id, 5, 'by hand' FROM pipedrive.mirror WHERE entity = 'persons';
UPDATE pipedrive.mirror SET max_tokens = 5000, overlap = '20 minutes' WHERE entity = 'deals';
CREATE VIEW my_mirrors AS SELECT mirror, rows, watermark, to_refetch FROM pipedrive.mirrors;
CREATE VIEW my_state AS SELECT m.target, s.watermark, s.change_serial FROM pipedrive.mirror m JOIN pipedrive.mirror_state s USING (mirror_id);
CREATE VIEW my_changes AS SELECT id, field, old_value, new_value FROM pipedrive.changes;
CREATE VIEW my_entities AS SELECT * FROM pipedrive.entities;
CREATE VIEW my_setting AS SELECT pipedrive._setting('inbox_retention', 'none') AS kept;
CREATE VIEW my_rules AS SELECT action, kind FROM pipedrive.webhook_action;
CREATE VIEW my_version AS SELECT pipedrive.version();
CREATE VIEW my_live AS SELECT id, title FROM crm_mirror.deals_live;
CREATE VIEW my_inbox AS SELECT key, seq, status FROM pipedrive.inbox;
ALTER VIEW crm_mirror.deals_live SET (security_barrier = true);
ALTER VIEW crm_mirror.stage_history OWNER TO viewer;
GRANT USAGE ON SCHEMA crm_mirror TO analyst, viewer;
GRANT SELECT ON crm_mirror.deals, pipedrive.changes TO viewer;
GRANT SELECT ON pipedrive.mirrors, pipedrive.changes, crm_mirror.deals_live, my_mirrors TO analyst;
GRANT SELECT (name) ON pipedrive.settings TO analyst;
GRANT SELECT ON pipedrive.webhook_action TO analyst;
GRANT EXECUTE ON FUNCTION pipedrive.create_mirror TO analyst WITH GRANT OPTION;
GRANT EXECUTE ON PROCEDURE pipedrive.sync TO analyst;
END_OF_SQL
    # one applied, one that was deleted, one that waits, one that nobody wants
    my @outcomes = map { sql($database, "SELECT pipedrive.ingest_webhook($_)") } (
        event("moved-$database", 'deal', 1, 'change', '"title": "told by an event", "stage_id": 2, "update_time": "2030-01-01T00:00:00Z"'),
        event("gone-$database", 'deal', 2, 'delete'),
        event("call-$database", 'callLog', 9, 'create', '"note": "x"'));
    push @outcomes, sql($database, 'SELECT pipedrive.ingest_webhook(' . event("waits-$database", 'person', 3, 'change', '"name": "Told Later", "update_time": "2030-01-01T00:00:00Z"') . ", 'queue')");
    is(join(' ', map { s/:.*//r } @outcomes), 'applied deleted ignored queued', "$database: events were taken");
    if ($late)
    {
        sql($database, <<'END_OF_SQL');
SELECT pipedrive.grant_mirrors('keeper', webhooks => true), pipedrive.grant_webhook_door('door');
SELECT pipedrive.drop_mirror('crm.users', false);
INSERT INTO pipedrive.bad_row (mirror_id, id, reason) SELECT mirror_id, 4, 'by hand' FROM pipedrive.mirror WHERE entity = 'stages';
INSERT INTO pipedrive.late_mark (mirror_id, id) SELECT mirror_id, 4 FROM pipedrive.mirror WHERE entity = 'stages';
END_OF_SQL
        # a run that is under way goes on
        sql($database, "CALL pipedrive.sync('crm_mirror.activities', mode => 'full', max_tokens => 20)");
    }
    else
    {
        sql($database, "UPDATE pipedrive.mirror_state SET phase = 'added', walk_position = '0:abc', reconcile_phase = 'walk', reconcile_position = '0:def'
                         WHERE mirror_id = (SELECT mirror_id FROM pipedrive.mirror WHERE entity = 'activities')");
    }
    return;
}

# What is in every table of ours: columns that the old version had and an update leaves alone.
my %FORGOTTEN = (mirror_state => { map { $_ => 1 } qw(run_newest reconcile_phase reconcile_position) });

sub columns_of
{
    my ($database) = @_;
    return map { [ split /\|/ ] } split /\n/, sql($database, <<'END_OF_SQL');
SELECT c.oid, c.relname, string_agg(a.attname, ',' ORDER BY a.attname)
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname LIKE 'pipedrive%' AND c.relkind = 'r' AND c.relname !~ '^(webhook_(object|action|field)|sync_phase)$'
 GROUP BY c.oid ORDER BY c.relname
END_OF_SQL
}

# By name as well as by OID; values as text, so that a type may change and a number stay what it was.
sub rows_of
{
    my ($database, $relation, $name, $columns) = @_;
    my $kept = join ', ', map { "t.$_\::text" } grep { !$FORGOTTEN{$name}{$_} } split /,/, $columns;
    return sql($database, "SELECT format('SELECT string_agg(r, E''\\n'' ORDER BY r COLLATE \"C\") FROM (SELECT ROW($kept)::text AS r FROM ONLY %s t) AS x', $relation) \\gexec");
}

my $OBJECTS = q{SELECT c.oid, c.relkind, n.nspname, c.relname, c.relowner::regrole, c.reloptions FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('public', 'crm', 'crm_mirror') AND c.relkind IN ('r', 'v', 'm', 'f') ORDER BY n.nspname, c.relname};

# ----------------------------------------------------------------------------------------------------------

for my $case ([ 'early', 'b175b05' ], [ 'late', '1916121' ])
{
    my ($database, $commit) = @$case;
    my $late = $database eq 'late';
    install_old($extensions, $commit);
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    sql($database, "CREATE EXTENSION pipedrive_fdw VERSION '0.1.0'");
    use_old($database, $late);

    # --- what cannot be kept is named, and nothing has happened

    my $update = 'ALTER EXTENSION pipedrive_fdw UPDATE';
    my %refused = (
        "CREATE VIEW asks AS SELECT pipedrive._stage_history('crm_mirror.deals') AS h" => qr/view "public\.asks" cannot be what it was after this update\n.*HINT:  Drop/s,
        "CREATE MATERIALIZED VIEW asks AS SELECT pipedrive._stage_history('crm_mirror.deals') AS h" => qr/stage_history\(regclass\) is no more, and in use\nDETAIL:  view public\.asks\nHINT:  Drop/,
        'CREATE VIEW asks AS SELECT d.title, c.field FROM pipedrive.changes c JOIN crm_mirror.deals d ON d.id = c.id' => qr/view "public\.asks" cannot be what it was after this update\nDETAIL:  operator does not exist: .*\nHINT:  Drop/,
        'CREATE MATERIALIZED VIEW asks AS SELECT id FROM pipedrive.changes' => qr/"public\.asks" reads column "id" of pipedrive\.changes, which .*HINT:  Drop/s,
        $late ? () : (
            'CREATE VIEW asks AS SELECT run_newest FROM pipedrive.mirror_state' => qr/view "public\.asks" cannot be what it was after this update\n.*HINT:  Drop/s,
            'CREATE MATERIALIZED VIEW asks AS SELECT run_newest FROM pipedrive.mirror_state' => qr/"public\.asks" reads column "run_newest" of pipedrive_internal\.mirror_state, which .*HINT:  Drop/s));
    for my $view (sort keys %refused)
    {
        sql($database, $view);
        my ($status, undef, $err) = $node->psql($database, $update);
        like($err, $refused{$view}, "$database: the update names what is in its way");
        sql($database, 'DROP ' . ($view =~ /MATERIALIZED/ ? 'MATERIALIZED ' : '') . 'VIEW asks');
    }
    is(sql($database, "SELECT extversion FROM pg_extension WHERE extname = 'pipedrive_fdw'"), '0.1.0', "$database: and is undone");

    # --- the update

    my @tables = columns_of($database);
    my %rows = map { $_->[0] => rows_of($database, "$_->[0]::regclass", @$_[1, 2]) } @tables;
    my $filled = join ' ', sort map { $_->[1] } grep { $rows{ $_->[0] } ne '' } @tables;
    for my $table (qw(backfilled changes_\d+ fields inbox mirror mirror_event mirror_state refetch refresh_log server_company settings tombstone tracked_view webhook_login webhook_subscription))
    {
        like($filled, qr/\b$table\b/, "$database: there are rows of $table");
    }
    my $objects = sql($database, $OBJECTS);
    my $changes = sql($database, 'SELECT * FROM my_changes ORDER BY 1, 2, 3, 4');
    my $recorded = sql($database, 'SELECT array_agg(id || field ORDER BY recorded_at, field) FROM pipedrive.changes');
    is(sql($database, "$update; SELECT extversion FROM pg_extension WHERE extname = 'pipedrive_fdw'"), $new_version, "$database: the update runs");

    # --- equal to a fresh one

    is(differences(catalogue($database), $fresh), '', "$database: the installation equals a fresh one");
    is(sql($database, $PARTITIONS), $partitions, "$database: each partition of the history has its indexes");

    # --- nothing is lost

    for my $table (@tables)
    {
        is(rows_of($database, "$table->[0]::regclass", @$table[1, 2]), $rows{ $table->[0] }, "$database: $table->[1] has its rows, under its OID");
    }
    is(sql($database, $OBJECTS), $objects, "$database: so have tables and views of users");
    is(sql($database, 'SELECT array_agg(id || field ORDER BY arrival, field) FROM pipedrive.changes'), $recorded, "$database: the history has its order");
    is(sql($database, q{SELECT nextval('pipedrive_internal.arrival') > (SELECT max(seq) FROM pipedrive.inbox) AND nextval('pipedrive_internal.arrival') > (SELECT max(arrival) FROM pipedrive.changes)}),
        't', "$database: what comes is counted after it");
    is(sql($database, "SELECT count(*) > 0 FROM $_"), 't', "$database: $_ shows what it showed")
      for qw(my_mirrors my_state my_changes my_entities my_rules my_setting my_version my_inbox), $late ? 'my_live' : (); # else sync() has to ask first whose account it is
    is(sql($database, 'SELECT * FROM my_changes ORDER BY 1, 2, 3, 4'), $changes, "$database: ids that are text now are numbers in views that were there");
    is(sql($database, q{SELECT kind FROM pipedrive_internal.mirror_view v JOIN pipedrive_internal.mirror m USING (mirror_id) WHERE m.entity = 'deals' ORDER BY 1}), "live\nowner_id\nstage_id", "$database: views beside a mirror are known");
    is(sql($database, q{SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'crm_mirror.stage_history'::regclass AND attnum > 0}), 'deal_id,stage_id,entered,left_at,duration,step', "$database: and are made as now");
    like(sql($database, q{SELECT pg_get_viewdef('crm_mirror.deals_live'::regclass)}), qr/pipedrive_internal\.reads_own_account\(/, "$database: the live view asks whose account it reads");
    is(sql($database, q{SELECT has_table_privilege('analyst', 'crm_mirror.deals_live', 'SELECT'), has_table_privilege('analyst', 'pipedrive.mirrors', 'SELECT'), has_column_privilege('analyst', 'pipedrive.settings', 'name', 'SELECT'), has_table_privilege('analyst', 'pipedrive_internal.webhook_action', 'SELECT'),
                               has_function_privilege('analyst', 'pipedrive.create_mirror(regclass, text)', 'EXECUTE WITH GRANT OPTION'),
                               (SELECT has_function_privilege('analyst', p.oid, 'EXECUTE') FROM pg_proc p WHERE p.proname = 'sync' AND p.pronamespace = 'pipedrive'::regnamespace)}),
        't|t|t|t|t|t', "$database: grants are kept");
    is(sql($database, q{SELECT r, has_function_privilege(r, 'pipedrive_internal.keeps(regclass)', 'EXECUTE'), has_function_privilege(r, 'pipedrive_internal.decode_event(regclass, jsonb, text)', 'EXECUTE'),
                               has_table_privilege(r, 'pipedrive.inbox', 'INSERT'), has_table_privilege(r, 'pipedrive_internal.webhook_object', 'SELECT'), has_table_privilege(r, 'pipedrive_internal.mirror', 'INSERT')
                          FROM unnest(ARRAY['door', 'keeper']) AS r}), $late ? "door|t|f|t|t|f\nkeeper|t|t|t|t|t" : "door|f|f|f|f|f\nkeeper|f|f|f|f|f", "$database: who kept mirrors or took events does so still, and no more");

    # --- it works

    $simulator->control('POST', 'mutate', [ { action => 'change', entity => 'deals', id => 5, fields => { title => "after $database" } },
        { action => 'delete', entity => 'persons', id => $late ? 8 : 9 }, { action => 'create', entity => 'organizations', fields => { name => "New after $database" } } ]);
    my ($told) = grep { $_->{meta}{entity} eq 'deal' } map { $_->{body} } reverse @{ $simulator->control('GET', 'webhooks?since=0&version=2.0') };
    is(sql($database, 'SELECT pipedrive.ingest_webhook($e$' . JSON::PP->new->canonical->encode($told) . '$e$::jsonb)'), 'applied', "$database: an event is applied");
    is(sql($database, 'SELECT title FROM crm_mirror.deals WHERE id = 5'), "after $database", "$database: and its row is there");
    my $cost = sql($database, "CALL pipedrive.sync(); SELECT count(*) FILTER (WHERE last_error IS NOT NULL OR phase IS NOT NULL), sum(tokens_today) FROM pipedrive.mirrors");
    like($cost, qr/^0\|/, "$database: sync() comes to its end ($cost)");
    sql($database, "CALL pipedrive.reconcile(); CALL pipedrive.sync(mode => 'full')"); # counts change in silence
    for my $table (grep { $_ ne 'users' } @MIRRORED)
    {
        is(sql($database, "SELECT format('SELECT %1\$s FROM crm.$table EXCEPT SELECT %1\$s FROM crm_mirror.$table UNION ALL (SELECT %1\$s FROM crm_mirror.$table EXCEPT SELECT %1\$s FROM crm.$table)',
                                         pipedrive_internal.column_list('crm_mirror.$table')) \\gexec"), '', "$database: the mirror of $table equals the account");
    }
    is(sql($database, "CALL pipedrive.apply_inbox(); SELECT count(*) FROM pipedrive.inbox WHERE status = 'queued'"), 0, "$database: what waited was applied");
    sql($database, 'CALL pipedrive.refresh_views()');
    is(sql($database, q{SELECT count(*) FROM ((TABLE by_stage EXCEPT SELECT stage_id, count(*), sum(value) FROM crm_mirror.deals GROUP BY stage_id)) AS x}), 0, "$database: tracked views are refreshed");
    is(sql($database, q{SELECT count(*) FROM pipedrive.tracked_views WHERE error IS NOT NULL}), 0, "$database: without an error");
    sql($database, "SELECT pipedrive.refresh_schema('crm'); SELECT pipedrive.create_mirror('crm.products'); CALL pipedrive.sync('crm.products'); SELECT pipedrive.drop_mirror('crm.products');
                     SELECT pipedrive.drop_mirror('crm.stages', false); SELECT pipedrive.attach_mirror('crm.stages', 'crm_mirror.stages'); CALL pipedrive.sync('crm.stages'); CALL pipedrive.apply_retention()");
    sql($database, "SELECT pipedrive.attach_mirror('crm.users', 'crm_mirror.users'); CALL pipedrive.sync('crm.users')") if $late;
    is(sql($database, 'SELECT mirror, last_error FROM pipedrive.mirrors WHERE last_error IS NOT NULL'), '', "$database: mirrors are dropped, made and attached");

    is(sql($database, 'SELECT count(*) - (SELECT count(*) FROM crm.deals) FROM my_live'), 0, "$database: the live view reads the account");

    # --- and so does a dump of it

    my $file = PostgreSQL::Test::Utils::tempdir() . "/$database.dump";
    my $copy = "${database}_copy";
    $node->command_ok([ 'pg_dump', '-Fc', '-f', $file, $node->connstr($database) ], "$database: pg_dump");
    $node->safe_psql('postgres', "CREATE DATABASE $copy TEMPLATE template0");
    $node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr($copy), $file ], "$database: pg_restore");
    is(differences(catalogue($copy), $fresh), '', "$database: the copy equals a fresh one");
    for my $table (columns_of($database))
    {
        next if $table->[1] =~ /^(?:inbox|refresh_log|known_server|server_account|reconcile_seen)$/; # not in dumps
        my ($relation) = sql($database, "SELECT quote_literal($table->[0]::regclass::text) || '::regclass'");
        is(rows_of($copy, $relation, @$table[1, 2]), rows_of($database, $relation, @$table[1, 2]), "$database: the copy has the rows of $table->[1]");
    }
    is(sql($copy, q{SELECT has_table_privilege('analyst', 'pipedrive.mirrors', 'SELECT'), has_function_privilege('analyst', 'pipedrive.create_mirror(regclass, text)', 'EXECUTE WITH GRANT OPTION'),
                           has_table_privilege('keeper', 'pipedrive.inbox', 'INSERT')}), $late ? 't|t|t' : 't|t|f', "$database: the copy has the grants");
}

stop_quietly($node);
$simulator->stop;
done_testing();
