// A WHERE clause as the core sees it: a column of the catalogue, an operator, and a value that is
// known only when the scan runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.h"

namespace pipedrive {

enum class Op : std::uint8_t { Eq, AnyOf, Lt, Le, Gt, Ge, IsTrue, IsFalse };

struct Predicate {
    std::string column; // name of the standard column, as in Filter::column
    Op op = Op::Eq;
    int value = -1; // index into the run-time values; -1 for IsTrue and IsFalse

    bool operator==(const Predicate&) const = default;
};

inline constexpr Micros kBeforeAll = INT64_MIN; // '-infinity'
inline constexpr Micros kAfterAll = INT64_MAX;  // 'infinity'

struct Value {
    enum class Type : std::uint8_t {
        Unknown, // EXPLAIN without execution: only `symbol` is known
        Null,    // the clause can be true for no row
        Ints,    // Eq: one; AnyOf: the non-null elements
        Words,   // likewise
        Time,    // kBeforeAll and kAfterAll are the infinities
        Flag,
        Uuids, // as Ints; spelled in `words` as PostgreSQL spells them
    };
    Type type = Type::Unknown;
    std::vector<std::int64_t> ints;
    std::vector<std::string> words;
    Micros time = 0;
    bool flag = false;
    std::string symbol; // how EXPLAIN names an unknown value

    bool operator==(const Value&) const = default;
};

} // namespace pipedrive
