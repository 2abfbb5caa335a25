# Webhooks while another session is in the way: an event that has to wait is marked for the next sync at once, and
# under repeatable read nothing is lost and nothing fails.

use strict;
use warnings;

use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);
$node->safe_psql('postgres', "SELECT count(*) FROM pipedrive.create_mirrors('crm')");
$node->safe_psql('postgres', 'SET client_min_messages = warning; CALL pipedrive.sync()');

my $id = $node->safe_psql('postgres', 'SELECT min(id) FROM crm_mirror.deals');
my $n = 0;

sub event
{
    my ($name, $title) = @_;
    my $time = sprintf '2030-01-01T00:00:%02dZ', ++$n;
    return "SELECT pipedrive.ingest_webhook('{\"meta\": {\"version\": \"2.0\", \"id\": \"$name\", \"entity\": \"deal\", \"entity_id\": \"$id\", \"action\": \"change\", \"timestamp\": \"$time\", \"company_id\": \"100200300\"}, "
      . "\"data\": {\"id\": $id, \"title\": \"$title\", \"update_time\": \"$time\"}}')";
}

my $session = PipedriveTest::Session->new($node);
my $other = PipedriveTest::Session->new($node, name => 'other');
sub marks { return $node->safe_psql('postgres', "SELECT count(*) FROM pipedrive_internal.refetch WHERE id = '$id'") }
sub title { return $node->safe_psql('postgres', "SELECT title FROM crm_mirror.deals WHERE id = $id") }

# ----------------------------------------------------------------------------------------------------------
# Queued because the row is locked: marked at once, so that a sync settles it where nobody runs apply_inbox()
# ----------------------------------------------------------------------------------------------------------

my $account = title();
$other->value("BEGIN; SELECT id FROM crm_mirror.deals WHERE id = $id FOR UPDATE");
is($session->value(event('held', 'a ghost')), 'queued', 'an event whose row is locked is queued');
is(marks(), 1, 'and its record is marked at once');
like($node->safe_psql('postgres', "SELECT error FROM pipedrive.inbox WHERE key LIKE 'held:%'"), qr/^55P03: /, 'the inbox says why it waits');
$other->value('ROLLBACK');
$node->safe_psql('postgres', 'SET client_min_messages = warning; CALL pipedrive.sync()');
is($node->safe_psql('postgres', "SELECT status FROM pipedrive.inbox WHERE key LIKE 'held:%'"), 'applied', 'sync() applies what is queued');
is(marks() . title(), "0$account", 'and then reads the record');
$node->safe_psql('postgres', "TRUNCATE pipedrive.inbox; UPDATE crm_mirror.deals SET update_time = '2026-01-01', _source = 'sync' WHERE id = $id");

# The mark goes with whoever made it and rolls back: another one stays
# ----------------------------------------------------------------------------------------------------------

sub person
{
    my ($name, $person, $action) = @_;
    my $data = $action eq 'delete' ? 'null' : "{\"id\": $person, \"name\": \"$name\"}";
    return "SELECT pipedrive.ingest_webhook('{\"meta\": {\"version\": \"2.0\", \"id\": \"$name\", \"entity\": \"person\", \"entity_id\": \"$person\", \"action\": \"$action\", "
      . "\"timestamp\": \"2030-01-01T00:00:00Z\", \"company_id\": \"100200300\"}, \"data\": $data}')";
}
$simulator->control('POST', 'mutate', [ { action => 'delete', entity => 'persons', id => 7 } ]);
$other->value('BEGIN');
is($other->value(person('holder', 7, 'change')), 'applied', 'an event is applied, not committed');
is($session->value(person('waits', 7, 'delete')), 'queued', 'another one about the same record is queued');
$other->value('ROLLBACK');
is($node->safe_psql('postgres', 'SELECT to_refetch FROM pipedrive.mirrors WHERE entity = $$persons$$'), 1, 'its record is marked, also when the first one rolls back');
$node->safe_psql('postgres', 'TRUNCATE pipedrive.inbox'); # a mirror's owner may not read it
$node->safe_psql('postgres', 'SET client_min_messages = warning; CALL pipedrive.sync($$crm_mirror.persons$$)');
is($node->safe_psql('postgres', 'SELECT (SELECT count(*) FROM crm_mirror.persons WHERE id = 7), to_refetch FROM pipedrive.mirrors WHERE entity = $$persons$$'), '0|0', 'and the next sync reads it');

# ----------------------------------------------------------------------------------------------------------
# Repeatable read: the same event, or the same record, from a session that began before
# ----------------------------------------------------------------------------------------------------------

my $same = event('same', 'first');
$session->value('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$other->value($same);
my ($out, $err) = do { $session->send($same); $session->answer };
is("$out$err", 'duplicate', 'the same event under repeatable read is a duplicate, not an error');
$session->value('COMMIT');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pipedrive.inbox') . title(), '1first', 'stored and applied once');

$session->value('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$other->value(event('other', 'second'));
($out, $err) = do { $session->send(event('later', 'third')); $session->answer };
is("$out$err", 'queued', 'an event about a record that changed meanwhile is queued, not an error');
$session->value('COMMIT');
is(title(), 'second', 'the mirror has what was applied');
$session->value('CALL pipedrive.apply_inbox()');
is(title(), 'third', 'and the other one when it is run');

# A record that is made meanwhile
$id = 9001;
$session->value('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
$other->value(event('made', 'made'));
($out, $err) = do { $session->send(event('made later', 'made later')); $session->answer };
is("$out$err", 'queued', 'also one that was made meanwhile');
$session->value('COMMIT');
$session->value('CALL pipedrive.apply_inbox()');
is(title(), 'made later', 'and applied when it is run');

# ----------------------------------------------------------------------------------------------------------
# Serializable: a duplicate is an event that is there; where the transaction cannot go on, that is an error
# ----------------------------------------------------------------------------------------------------------

for my $mode (qw(queue apply))
{
    $node->safe_psql('postgres', 'TRUNCATE pipedrive.inbox');
    for my $s ($session, $other)
    {
        $s->value('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM pipedrive.inbox');
    }
    ($id, my $event) = (9002, event("$mode one", 'one'));
    is($other->value($event =~ s/\)$/, '$mode')/r), $mode eq 'queue' ? 'queued' : 'applied', "serializable, $mode: one of two different events is taken");
    $other->value('COMMIT');
    $id = 9003;
    my $late = event("$mode two", 'two') =~ s/\)$/, '$mode')/r;
    $session->send($late);
    ($out, $err) = $session->answer;
    like("$out$err", qr/could not serialize access/, "serializable, $mode: the other one is not told to be a duplicate");
    $session->value('ROLLBACK');
    isnt($session->value($late), 'duplicate', "serializable, $mode: and taken when it comes again");
    is($node->safe_psql('postgres', 'SELECT count(*) FROM pipedrive.inbox'), 2, "serializable, $mode: both are stored");
    $session->value('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1');
    my $known = event("$mode three", 'three') =~ s/\)$/, '$mode')/r;
    $other->value($known);
    $session->send($known);
    ($out, $err) = $session->answer;
    is("$out$err", 'duplicate', "serializable, $mode: the same event is a duplicate");
    $session->value('COMMIT');
}
$node->safe_psql('postgres', 'TRUNCATE pipedrive.inbox, pipedrive_internal.refetch');

# In a transaction that did something of its own, that stays
$session->value('CREATE TABLE own (n integer)');
$session->value('BEGIN ISOLATION LEVEL REPEATABLE READ; INSERT INTO own VALUES (1)');
$other->value(event('again', 'again'));
$session->value(event('at last', 'at last'));
$session->value('COMMIT');
is($session->value('SELECT count(*) FROM own'), 1, 'what the transaction did itself stays');

$_->quit for $session, $other;
$node->stop;
$simulator->stop;
done_testing();
