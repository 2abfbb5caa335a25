# The bill of plans with wrong estimates: twelve queries, each with its worst plan forced, none dearer than 2.2 times
# the cheapest way to the same rows. Tokens are counted where they are charged, in the simulator.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

# 10 pages of deals and some of archived ones, 6 of persons, 3 of organizations, 12 of activities
my $simulator = start_simulator('--scale', '5000');
my $node = make_node(simulator => $simulator);
$node->safe_psql('postgres', <<'END_OF_SQL');
-- a function whose planner is told that it brings one row
CREATE FUNCTION numbers(n int, step int DEFAULT 1) RETURNS SETOF bigint LANGUAGE plpgsql ROWS 1 AS $$
BEGIN RETURN QUERY SELECT (i * step)::bigint FROM generate_series(1, n) AS i; END $$;
CREATE TABLE few AS SELECT 1 + i % 5 AS id FROM generate_series(1, 1000) AS i;
-- an index of a foreign key that points to nothing
CREATE TABLE dangling AS SELECT i * 100000 + i AS id FROM generate_series(1, 40) AS i;
END_OF_SQL

# (result, tokens, requests) of a query in a session of its own, whose planner has not seen the tables yet
sub bill
{
    my ($settings, $sql) = @_;
    $simulator->clear;
    my $rows = $node->safe_psql('postgres', join('', map { "SET $_;\n" } @$settings) . $sql);
    my ($tokens, $requests) = (0, 0);
    for my $request ($simulator->journal)
    {
        next if $request->{path} =~ /Fields/;
        $tokens += $request->{tokens};
        $requests++;
    }
    return ($rows, $tokens, $requests);
}

my @nested = map { "enable_$_ = off" } qw(hashjoin mergejoin memoize);
my @bare = (@nested, 'enable_material = off');
my @lists = ('enable_nestloop = off');
my @unpushed = ('pipedrive_fdw.enable_pushdown = off');
my $both = 'FROM crm.deals d JOIN crm.persons p ON p.id = d.person_id JOIN crm.organizations o ON o.id = d.org_id';

# name, settings and text of the bad plan, then of other ways to the same rows
my @cases = (
    [ '400 outer rows where one was expected', [],
        'SELECT count(*) FROM numbers(400) n JOIN crm.persons p ON p.id = n',
        [ \@lists, 'SELECT count(*) FROM numbers(400) n JOIN crm.persons p ON p.id = n' ] ],
    [ '12 outer rows', [],
        'SELECT count(*) FROM numbers(12, 7) n JOIN crm.persons p ON p.id = n',
        [ \@lists, 'SELECT count(*) FROM numbers(12, 7) n JOIN crm.persons p ON p.id = n' ] ],
    [ 'lookups that cost about what the list does', [],
        'SELECT count(*) FROM numbers(60, 11) n JOIN crm.persons p ON p.id = n',
        [ \@lists, 'SELECT count(*) FROM numbers(60, 11) n JOIN crm.persons p ON p.id = n' ] ],
    [ 'deals of a stage with persons and organizations, looked up', \@nested,
        "SELECT count(*), sum(p.id + o.id) $both WHERE d.stage_id = 3 AND NOT d.is_archived",
        [ \@lists, "SELECT count(*), sum(p.id + o.id) $both WHERE d.stage_id = 3 AND NOT d.is_archived" ] ],
    [ 'ten thousand ids', [],
        'SELECT count(*) FROM crm.persons WHERE id = ANY (ARRAY(SELECT numbers(10000)))',
        [ \@unpushed, 'SELECT count(*) FROM crm.persons WHERE id = ANY (ARRAY(SELECT numbers(10000)))' ] ],
    [ 'two batches of ids', [],
        'SELECT count(*) FROM crm.persons WHERE id = ANY (ARRAY(SELECT numbers(150)))',
        [ [], 'SELECT count(*) FROM crm.persons WHERE id = ANY (ARRAY(SELECT numbers(150)))' ] ],
    [ 'the same five ids a thousand times', \@nested,
        'SELECT count(p.id) FROM few f JOIN crm.persons p ON p.id = f.id',
        [ [], 'SELECT 1000 FROM crm.persons WHERE id IN (1, 2, 3, 4) GROUP BY 1' ], [ \@lists, 'SELECT count(p.id) FROM few f JOIN crm.persons p ON p.id = f.id' ] ],
    [ 'ids that nobody has', \@nested,
        'SELECT count(p.id) FROM dangling f LEFT JOIN crm.persons p ON p.id = f.id',
        [ \@lists, 'SELECT count(p.id) FROM dangling f LEFT JOIN crm.persons p ON p.id = f.id' ] ],
    [ 'a correlated count for every stage', [],
        'SELECT array_agg((SELECT count(*) FROM crm.deals d WHERE d.stage_id = s AND NOT is_archived)) FROM numbers(15) s',
        [ [], 'SELECT array_agg(count ORDER BY s) FROM (SELECT s, count(d.id) FROM numbers(15) s LEFT JOIN (SELECT * FROM crm.deals WHERE NOT is_archived) d ON d.stage_id = s GROUP BY s) q' ] ],
    [ 'activities of each of 200 persons, one question each', [],
        'SELECT sum((SELECT count(*) FROM crm.activities a WHERE a.person_id = n)) FROM numbers(200) n',
        [ [], 'SELECT count(*) FROM crm.activities a JOIN numbers(200) n ON n = a.person_id' ] ],
    [ 'a list that is scanned anew for every outer row', \@bare,
        'SELECT count(*) FROM crm.stages s JOIN crm.pipelines p ON p.id = s.pipeline_id JOIN crm.users u ON u.id > 0',
        [ \@lists, 'SELECT count(*) FROM crm.stages s JOIN crm.pipelines p ON p.id = s.pipeline_id JOIN crm.users u ON u.id > 0' ],
        [ [], 'SELECT count(*) FROM crm.stages s JOIN crm.pipelines p ON p.id = s.pipeline_id JOIN crm.users u ON u.id > 0' ] ],
    [ 'deals by id, archived ones among them', \@nested,
        'SELECT count(*), count(*) FILTER (WHERE d.is_archived) > 0 FROM numbers(300) n JOIN crm.deals d ON d.id = n',
        [ \@lists, 'SELECT count(*), count(*) FILTER (WHERE d.is_archived) > 0 FROM numbers(300) n JOIN crm.deals d ON d.id = n' ],
        [ [], 'SELECT count(*), count(*) FILTER (WHERE d.is_archived) > 0 FROM crm.deals d WHERE id = ANY (ARRAY(SELECT numbers(300)))' ] ]);

for my $case (@cases)
{
    my ($name, $settings, $sql, @ways) = @$case;
    my ($rows, $tokens, $requests) = bill($settings, $sql);
    my $cheapest = $tokens;
    for my $way (@ways)
    {
        my ($same, $price) = bill(@$way);
        is($same, $rows, "$name: the same rows");
        $cheapest = $price if $price < $cheapest;
    }
    cmp_ok($tokens, '<=', 2.2 * $cheapest, "$name: $tokens tokens in $requests requests, the cheapest way $cheapest");
}

# What a session has learnt of a table bounds its lookups: 6 pages, then as many tokens for lookups, then 6 pages.
my ($learnt, $tokens) = bill([], 'SELECT count(*) > 0 FROM crm.persons; SELECT count(*) > 2000 FROM numbers(3000) n JOIN crm.persons p ON p.id = n;');
is($learnt, "t\nt", 'lookups of a known table');
cmp_ok($tokens, '<=', 60 + 2.2 * 60, "lookups of a known table: $tokens tokens");

# Kept rows beyond work_mem are in a file that nobody sees, and the rows are the same.
my $wide = 'SELECT md5(string_agg(md5(p::text), chr(32) ORDER BY n)) FROM numbers(2500) n JOIN crm.persons p ON p.id = n';
is((bill([ 'work_mem = 64', @nested ], $wide))[0], (bill([ 'work_mem = 65536', @lists ], $wide))[0], 'rows from the file');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_tmpdir()}), '0', 'no file is left');

done_testing();
