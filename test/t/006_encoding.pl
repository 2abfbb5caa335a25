# Databases that are not UTF-8: what fits is right, what does not fit is an error that names the column.

use strict;
use warnings;

use Encode qw(decode encode);
use PipedriveTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $simulator = start_simulator();
my $node = make_node(simulator => $simulator);

sub change
{
    my ($id, $title) = @_;
    $simulator->control('POST', 'mutate', { action => 'change', entity => 'deals', id => $id, fields => { title => $title } });
    return;
}

# Deals 1 to 3 exist at this scale; only those are looked at.
change(1, 'plain');
change(2, "caf\x{e9} \x{fc}ber \x{df}");
change(3, "\x{438}\x{441}\x{442}\x{43e}\x{447}\x{43d}\x{438}\x{43a} \x{1f600}");

for my $encoding (qw(LATIN1 LATIN9 WIN1251 EUC_JP SQL_ASCII))
{
    my $database = lc $encoding;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'");
    $node->safe_psql($database, <<"END_OF_SQL");
SET log_statement = none;
SET client_min_messages = warning;
CREATE EXTENSION pipedrive_fdw;
CREATE SERVER crm FOREIGN DATA WRAPPER pipedrive_fdw OPTIONS (api_base_url '$simulator->{url}');
CREATE USER MAPPING FOR CURRENT_USER SERVER crm OPTIONS (api_token 'sim-token-admin');
CREATE SCHEMA crm;
CREATE SCHEMA standard;
CREATE SCHEMA plain;
CREATE FOREIGN TABLE plain.deals (id bigint, title text, status text) SERVER crm OPTIONS (entity 'deals');
END_OF_SQL
    my ($status, undef, $err) = $node->psql($database,
        q{IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO standard OPTIONS (custom_fields 'false')}, on_error_stop => 0);
    unlike($err, qr/ERROR/, "$encoding: import of the standard columns");

    # The account has custom fields with Cyrillic and other names.
    ($status, undef, $err) = $node->psql($database, 'IMPORT FOREIGN SCHEMA pipedrive FROM SERVER crm INTO crm', on_error_stop => 0);
    if ($err =~ /ERROR/)
    {
        like($err, qr/22P05|has no equivalent in encoding|column/, "$encoding: import with custom fields fails clearly");
        like($err, qr/column|custom field|custom_fields/, "$encoding: and says what does not fit, or what to do") or diag($err);
    }
    else
    {
        pass("$encoding: import with custom fields");
        my ($state, $out, $errors) = $node->psql($database, 'SELECT * FROM crm.persons; SELECT * FROM crm.deals WHERE id = 1', on_error_stop => 0);
        ok($errors !~ /ERROR/ || $errors =~ /converting column "[^"]+"/, "$encoding: rows, or an error that names the column") or diag($errors);
    }

    my $utf8 = PipedriveTest::Session->new($node, database => $database, $encoding eq 'SQL_ASCII' ? () : (encoding => 'UTF8'));
    is($utf8->value('SELECT title FROM plain.deals WHERE id = 1'), 'plain', "$encoding: ASCII");
    my ($out, $error) = map { decode('UTF-8', $_) } $utf8->query('SELECT title FROM plain.deals WHERE id = 2');
    if ($encoding eq 'WIN1251' || $encoding eq 'EUC_JP')
    {
        # these letters have no place in either, or is in it by an extension: right or refused, never something else
        ok($out eq "caf\x{e9} \x{fc}ber \x{df}" || $error =~ /ERROR:  22P05.*CONTEXT:.*converting column "title"/s, "$encoding: Latin letters right or refused")
          or diag(encode('UTF-8', "$out $error"));
    }
    else
    {
        is($out, "caf\x{e9} \x{fc}ber \x{df}", "$encoding: Latin letters");
    }
    ($out, $error) = map { decode('UTF-8', $_) } $utf8->query('SELECT title FROM plain.deals WHERE id = 3');
    if ($encoding eq 'SQL_ASCII')
    {
        is($out, "\x{438}\x{441}\x{442}\x{43e}\x{447}\x{43d}\x{438}\x{43a} \x{1f600}", 'SQL_ASCII: bytes as they are');
    }
    else
    {
        like($error, qr/ERROR:  22P05/, "$encoding: what does not fit is an error");
        like($error, qr/CONTEXT:.*converting column "title", row id 3/, "$encoding: with column and row");
    }
    is($utf8->value('SELECT count(*), count(id) FROM plain.deals WHERE id IN (1, 2, 3)'), '3|3', "$encoding: columns that nobody asked for do no harm");
    is($utf8->value(q{SELECT id FROM plain.deals WHERE id IN (1, 2, 3) AND status = ANY (ARRAY['open', 'won', 'lost']) ORDER BY id LIMIT 1}), '1', "$encoding: words are pushed");

    # In a mirror a row that does not fit is set aside, and the others are there.
    $node->safe_psql($database, q{CREATE FOREIGN TABLE plain.sources (id bigint, title text, add_time timestamptz, update_time timestamptz) SERVER crm OPTIONS (entity 'deals');
        SELECT pipedrive.create_mirror('plain.sources', 'plain.kept')});
    $node->psql($database, q{CALL pipedrive.sync('plain.kept')});
    my $aside = $encoding eq 'SQL_ASCII' ? '' : '3:title';
    is($utf8->value(q{SELECT coalesce(string_agg(id || ':' || column_name, ' '), '') FROM pipedrive.bad_rows WHERE id = '3'}), $aside, "$encoding: set aside");
    is($utf8->value('SELECT count(*) + (SELECT count(*) FROM pipedrive.bad_rows) - (SELECT count(id) FROM plain.sources) FROM plain.kept'), '0', "$encoding: the others are there");
    is($utf8->value('SELECT title FROM plain.kept WHERE id = 1'), 'plain', "$encoding: as they are");

    # Errors that carry the peer's text.
    for my $fault ({ kind => 'status', status => 400, body => { success => JSON::PP::false(), error => "\x{43e}\x{448}\x{438}\x{431}\x{43a}\x{430} \x{1f600}" } },
        { kind => 'status', status => 400, body => "\x{43e}\x{448}" x 400 }, { kind => 'bad_utf8' }, { kind => 'nul' })
    {
        $simulator->fault($fault);
        (undef, $error) = $utf8->query('SELECT id, title FROM plain.deals');
        like($error, qr/^(?:psql:[^ ]* )?ERROR:  (?:HV00L|HV00M|22021|22P05|HV004)/m, "$encoding: $fault->{kind} is an error of the reply") or diag($error);
        $simulator->no_faults;
    }
    is($utf8->value('SELECT 1'), '1', "$encoding: the session is well");
    $utf8->quit;
}

stop_quietly($node);
$simulator->stop;
done_testing();
