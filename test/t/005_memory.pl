# The memory of a scan does not depend on the size of the table: the peak over 20,000 deals is hardly higher than
# over 5,000. Ratios within one run, so that they hold on any machine.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $small = start_simulator('--scale', '5000');
my $large = start_simulator('--scale', '20000');
my $node = make_node();
for my $case ([ 'small', $small ], [ 'large', $large ])
{
    my ($name, $simulator) = @$case;
    $node->safe_psql('postgres', <<"END_OF_SQL");
SET log_statement = none;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pipedrive_fdw;
CREATE SERVER $name FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{url}');
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA $name;
IMPORT FOREIGN SCHEMA pipedrive LIMIT TO (deals, persons, activities) FROM SERVER $name INTO $name;
END_OF_SQL
}

# (rows, peak in kB, what the scan itself added) of a query in a session of its own.
sub peak
{
    my ($schema, $sql) = @_;
    my $session = PipedriveTest::Session->new($node);
    $session->value("SET search_path = $schema");
    my $idle = memory_of($session->{pid}, 'VmHWM');
    my $rows = $session->value($sql);
    my $peak = memory_of($session->{pid}, 'VmHWM');
    is($session->value(q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'pipedrive%'}), '0', "$schema: nothing is left");
    $session->quit;
    return ($rows, $peak, $peak - $idle);
}

for my $case (
    [ 'all columns', 'SELECT count(*) FROM (SELECT md5(t::text) AS hash FROM deals t OFFSET 0) q WHERE hash IS NOT NULL' ],
    [ 'three columns', 'SELECT count(*) FROM (SELECT id, title, status FROM deals OFFSET 0) q WHERE title IS NOT NULL' ],
    [ 'rows that are all filtered out here', q{SELECT count(*) + (SELECT count(*) FROM deals) FROM deals WHERE title || 'x' = 'y'} ],
    [ 'a row by row function', 'DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM activities LOOP END LOOP; END $$; SELECT count(*) FROM activities' ])
{
    my ($name, $sql) = @$case;
    my ($few, $low, $low_added) = peak('small', $sql);
    my ($many, $high, $high_added) = peak('large', $sql);
    cmp_ok($many, '>', 3.5 * $few, "$name: $few and $many rows");
    cmp_ok($high, '<', 1.3 * $low, "$name: peak of the process $low kB and $high kB");
    note("$name: added by the scan $low_added kB and $high_added kB");
    cmp_ok($high_added, '<', 1.5 * $low_added + 2048, "$name: and so the part that the scan added");
}

# A cursor that has read a little holds one page or two, not the table.
{
    my $session = PipedriveTest::Session->new($node);
    $session->value("BEGIN;\nDECLARE c CURSOR FOR SELECT * FROM large.deals;\nMOVE 10 IN c");
    my $little = memory_of($session->{pid}, 'VmHWM');
    $session->value('MOVE ALL IN c');
    my $all = memory_of($session->{pid}, 'VmHWM');
    cmp_ok($all, '<', 1.3 * $little, "a cursor: $little kB after ten rows, $all kB after all");
    $session->value('COMMIT');
    $session->quit;
}

stop_quietly($node);
$_->stop for $small, $large;
done_testing();
