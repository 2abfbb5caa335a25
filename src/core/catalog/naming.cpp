#include "core/catalog/naming.h"

#include <clocale>
#include <cwctype>
#include <locale.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "core/base/text.h"

namespace pipedrive {
namespace {

// Every keyword of PostgreSQL 14 to 18 that is not "unreserved", between blanks.
constexpr std::string_view kReserved =
    " all analyse analyze and any array as asc asymmetric authorization between"
    " bigint binary bit boolean both case cast char character check coalesce collate collation"
    " column concurrently constraint create cross current_catalog current_date current_role"
    " current_schema current_time current_timestamp current_user dec decimal default"
    " deferrable desc distinct do else end except exists extract false fetch float for foreign"
    " freeze from full grant greatest group grouping having ilike in initially inner inout int"
    " integer intersect interval into is isnull join json json_array json_arrayagg json_exists"
    " json_object json_objectagg json_query json_scalar json_serialize json_table json_value"
    " lateral leading least left like limit localtime localtimestamp merge_action national"
    " natural nchar none normalize not notnull null nullif numeric offset on only or order out"
    " outer overlaps overlay placing position precision primary real references returning"
    " right row select session_user setof similar smallint some substring symmetric"
    " system_user table tablesample then time timestamp to trailing treat trim true union"
    " unique user using values varchar variadic verbose when where window with xmlattributes"
    " xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot"
    " xmlserialize xmltable ";

constexpr std::string_view kSystemColumns[] = {"tableoid", "cmin", "cmax", "xmin", "xmax", "ctid"};

// Character classes come from libc's C.UTF-8, which does not depend on the server's locale
// settings.
locale_t utf8_locale() noexcept {
    static locale_t loc = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return loc;
}

// Marks belong to the letter before them (accents written apart, vowel signs, variation of Indic
// and other scripts).
bool is_mark(char32_t c) noexcept {
    return (c >= 0x0300 && c <= 0x036F) || (c >= 0x0591 && c <= 0x05BD) ||
           (c >= 0x064B && c <= 0x065F) || (c >= 0x0900 && c <= 0x0DFF) ||
           (c >= 0x0E31 && c <= 0x0E4E);
}

bool is_word(char32_t c) noexcept {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    locale_t loc = utf8_locale();
    if (loc == nullptr) return c >= 0xC0;
    return is_mark(c) || iswalnum_l(static_cast<wint_t>(c), loc) != 0;
}

char32_t lower(char32_t c) noexcept {
    if (c >= 'A' && c <= 'Z') return c + 32;
    locale_t loc = utf8_locale();
    return c < 0x80 || loc == nullptr
               ? c
               : static_cast<char32_t>(towlower_l(static_cast<wint_t>(c), loc));
}

std::string without_trailing_underscores(std::string_view s) {
    while (!s.empty() && s.back() == '_')
        s.remove_suffix(1);
    return std::string(s);
}

// A field code as it may stand in a name: what is neither letter nor digit is left out.
std::string code_digits(std::string_view code) {
    std::string out;
    for (char c : code)
        if (static_cast<unsigned char>(c) < 0x80 && is_word(static_cast<char32_t>(c)))
            out += static_cast<char>(lower(static_cast<char32_t>(c)));
    return out.substr(0, 40);
}

// A field on its way to a name: `digits` of its code are appended, 0 while nobody else wants the
// same name.
struct Candidate {
    const FieldDefinition* field;
    std::vector<ImportedPart> parts;
    std::size_t digits = 0;
};

std::size_t longest_suffix(const Candidate& candidate) {
    std::size_t most = 0;
    for (const ImportedPart& part : candidate.parts)
        most = std::max(most, part.suffix.size());
    return most;
}

// The name without part suffix. Room is left for the code digits and the longest part suffix.
std::string stem(const Candidate& candidate) {
    const std::string code = code_digits(candidate.field->code);
    const std::size_t digits = std::min(candidate.digits, code.size());
    const std::size_t room =
        kMaxNameBytes - longest_suffix(candidate) - (digits == 0 ? 0 : digits + 1);
    std::string base = identifier_from(candidate.field->name, room);
    if (base.empty()) return "field_" + code.substr(0, std::max<std::size_t>(digits, 8));
    if (digits == 0) return base;
    return without_trailing_underscores(utf8_prefix(base, room)) + "_" + code.substr(0, digits);
}

std::vector<std::string> names_of(const Candidate& candidate) {
    std::vector<std::string> names;
    const std::string base = stem(candidate);
    for (const ImportedPart& part : candidate.parts) {
        std::string name = base + std::string(part.suffix);
        // "order_" + "_currency": the underscore that guarded the reserved word is no longer
        // needed.
        if (!part.suffix.empty() && base.size() > 1 && base.back() == '_')
            name = base.substr(0, base.size() - 1) + std::string(part.suffix);
        names.push_back(std::move(name));
    }
    return names;
}

constexpr std::size_t next_digits(std::size_t digits) {
    return digits == 0 ? 6 : digits < 12 ? 12 : digits + 14;
}

// Lengthens the suffix of every field that shares one of its names, until nobody does.
void settle(std::vector<Candidate>& candidates, const std::set<std::string>& fixed) {
    for (int round = 0; round < 6; ++round) {
        std::map<std::string, int> uses;
        for (const Candidate& candidate : candidates)
            for (const std::string& name : names_of(candidate))
                ++uses[name];
        bool clash = false;
        for (Candidate& candidate : candidates) {
            const std::vector<std::string> names = names_of(candidate);
            const bool shared = std::any_of(
                names.begin(), names.end(),
                [&](const std::string& name) { return fixed.count(name) != 0 || uses[name] > 1; });
            if (!shared) continue;
            candidate.digits = next_digits(candidate.digits);
            clash = true;
        }
        if (!clash) return;
    }
}

} // namespace

bool is_reserved_word(std::string_view word) noexcept {
    if (word.empty() || word.find(' ') != word.npos) return false;
    for (std::size_t at = kReserved.find(word); at != kReserved.npos;
         at = kReserved.find(word, at + 1))
        if (kReserved[at - 1] == ' ' && kReserved[at + word.size()] == ' ') return true;
    return false;
}

std::string identifier_from(std::string_view name, std::size_t max_bytes) {
    std::string out;
    bool gap = false;
    for (std::size_t i = 0; i < name.size();) {
        const char32_t c = utf8_next(name, &i);
        if (c == 0xFFFD || !is_word(c)) {
            gap = !out.empty();
            continue;
        }
        if (gap) out += '_';
        gap = false;
        utf8_append(out, lower(c));
    }
    if (!out.empty() && out.front() >= '0' && out.front() <= '9') out.insert(out.begin(), '_');
    out = without_trailing_underscores(utf8_prefix(out, max_bytes));
    if (is_reserved_word(out))
        out = without_trailing_underscores(utf8_prefix(out, max_bytes - 1)) + "_";
    return out;
}

std::vector<NamedColumn> name_custom_columns(const Entity& entity,
                                             std::span<const FieldDefinition> fields,
                                             LabelMode mode, std::span<const std::string> taken) {
    std::set<std::string> fixed(taken.begin(), taken.end());
    for (const Column& column : entity.columns)
        fixed.insert(std::string(column.name));
    for (std::string_view name : kSystemColumns)
        fixed.insert(std::string(name));
    std::vector<Candidate> candidates;
    for (const FieldDefinition& field : fields)
        if (field.custom)
            candidates.push_back({&field, imported_parts(field_type(field.type), mode)});
    settle(candidates, fixed);
    std::vector<NamedColumn> columns;
    for (const Candidate& candidate : candidates) {
        const std::vector<std::string> names = names_of(candidate);
        for (std::size_t i = 0; i < names.size(); ++i)
            columns.push_back({names[i], candidate.field, candidate.parts[i].part});
    }
    return columns;
}

} // namespace pipedrive
