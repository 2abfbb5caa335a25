// What the fuzzers share: every column that an entity can have, and what may end an attempt.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "unit/cells.h"

namespace pipedrive::fuzz {

// Every standard column, and every part of every field type under short codes that a fuzzer finds.
inline std::vector<BoundColumn> all_columns(const Entity& entity) {
    std::vector<BoundColumn> out;
    for (const Column& c : entity.columns)
        out.push_back(bind_column(entity, {1, std::string(c.name), "", "", ""}));
    if (!has_custom_fields(entity)) return out;
    for (const FieldType& type : field_types())
        for (const Part& part : type.parts) {
            const std::string name = std::string(type.name) + "." + std::string(part.subfield);
            BoundColumn c = bind_column(
                entity,
                {1, name, test::hash_code(1), std::string(part.subfield), std::string(type.name)});
            c.field = type.name;
            out.push_back(c);
        }
    return out;
}

// An Error is an answer.
template <typename F>
void survive(F&& f) {
    try {
        f();
    } catch (const Error&) {
    }
}

} // namespace pipedrive::fuzz
