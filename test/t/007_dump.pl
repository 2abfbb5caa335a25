# pg_dump and restore of a database with the extension, a server, mappings, foreign tables and views on them.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
my $dir = PostgreSQL::Test::Utils::tempdir();
$node->safe_psql('postgres', <<'END_OF_SQL');
CREATE VIEW open_deals AS SELECT d.id, d.title, o.name AS org FROM crm.deals d LEFT JOIN crm.organizations o ON o.id = d.org_id WHERE d.status = 'open';
CREATE MATERIALIZED VIEW by_status AS SELECT status, count(*) AS n FROM crm.deals GROUP BY status;
CREATE FOREIGN TABLE by_hand (id bigint, title text OPTIONS (field 'title')) SERVER crm OPTIONS (entity 'deals', page_size '50');
SELECT pipedrive.create_mirror('crm.deals');
CALL pipedrive.sync('crm.deals');
SELECT pipedrive.drop_mirror('crm.deals', false);
END_OF_SQL

# What there is to compare: columns with options and comments, and what is read through them.
my $shape = <<'END_OF_SQL';
SELECT c.oid::regclass, a.attname, a.atttypid::regtype, a.attfdwoptions, t.ftoptions, col_description(c.oid, a.attnum), obj_description(c.oid)
  FROM pg_foreign_table t JOIN pg_class c ON c.oid = ftrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 ORDER BY c.oid::regclass::text, a.attnum
END_OF_SQL
my @reads = (
    $shape,
    'SELECT * FROM open_deals ORDER BY id',
    'SELECT * FROM by_status ORDER BY 1',
    'SELECT count(*), md5(string_agg(title, NULL ORDER BY id)) FROM by_hand',
    'SELECT md5(string_agg(t::text, NULL ORDER BY id)) FROM crm.deals t',
    'SELECT srvname, srvoptions FROM pg_foreign_server',
    'SELECT srvname, usename, umoptions FROM pg_user_mappings',
    'SELECT extname, extversion, extnamespace::regnamespace FROM pg_extension ORDER BY 1',
    'SELECT evtname, evtevent, evtenabled FROM pg_event_trigger',
    'SELECT target, mirror_id, company_id, array_length(columns, 1) FROM pipedrive_internal.detached_mirror',
    'SELECT v.view, c.relkind, v.target, v.kind FROM pipedrive_internal.detached_view v JOIN pg_class c ON c.oid = v.view ORDER BY v.kind',
);
my @expected = map { $node->safe_psql('postgres', $_) } @reads;
like($expected[0], qr/Stage/, 'there are comments');
like($expected[-1], qr/crm_mirror\.stage_history\|v\|crm_mirror\.deals\|stage_id/, 'and views of a detached mirror');

for my $case ([ 'plain', '-Fp' ], [ 'custom', '-Fc' ], [ 'directory', '-Fd' ], [ 'schema_only', '-Fp', '--schema-only' ])
{
    my ($database, $format, @options) = @$case;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
    $simulator->clear;
    $node->command_ok([ 'pg_dump', $format, @options, '-f', "$dir/$database", $node->connstr('postgres') ], "$database: pg_dump");
    is(scalar(my @all = $simulator->journal), 0, "$database: which asks the API nothing");
    $node->command_ok(
        $format eq '-Fp'
        ? [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/$database", $node->connstr($database) ]
        : [ 'pg_restore', '--exit-on-error', '-d', $node->connstr($database), "$dir/$database" ],
        "$database: restore");
    for my $i (0 .. $#reads)
    {
        next if $database eq 'schema_only' && $reads[$i] =~ /by_status|detached/; # not populated
        is($node->safe_psql($database, $reads[$i]), $expected[$i], "$database: " . substr($reads[$i], 0, 60) =~ s/\s+/ /gr);
    }
    $node->safe_psql($database, 'CREATE SCHEMA again; IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO again');
    like($node->safe_psql($database, q{SELECT col_description('again.deals'::regclass, 1)}), qr/Deal id/, "$database: import works after the restore, with comments");
}

# Rows of foreign tables on request.
$node->command_ok([ 'pg_dump', '--include-foreign-data=crm', '-t', 'crm.deals', '-f', "$dir/rows", $node->connstr('postgres') ], 'pg_dump --include-foreign-data');
my ($rows) = slurp_file("$dir/rows") =~ /^COPY crm\.deals .*?FROM stdin;\n(.*?)^\\\.$/ms;
is(($rows // '') =~ tr/\n//, $node->safe_psql('postgres', 'SELECT count(*) FROM crm.deals'), 'has every row');

# And what DROP leaves.
$node->safe_psql('plain', 'SET client_min_messages = warning; DROP EXTENSION pipedrive_fdw CASCADE');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_foreign_table}), '0', 'DROP EXTENSION takes its tables along');
is($node->safe_psql('plain', q{SELECT count(*) FROM pg_event_trigger}), '0', 'and its event trigger');
$node->safe_psql('plain', 'CREATE EXTENSION pipedrive_fdw');
pass('and can be created again');

stop_quietly($node);
$simulator->stop;
done_testing();
