// libFuzzer: any bytes as the record of an event, for every entity that has events, in every shape.
// An Error is an answer; a crash, a leak, any other exception or a contradiction is not.
//
//     cmake -S . -B build/fuzz -DCMAKE_CXX_COMPILER=clang++ -DPIPEDRIVE_FUZZ=ON
//     -DPIPEDRIVE_SANITIZE=ON ninja -C build/fuzz record_fuzz && build/fuzz/record_fuzz
//     -max_total_time=60 CORPUS, where the first byte of a file is the number of the entity
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/wire/event_record.h"
#include "core/wire/reader.h"
#include "core/wire/record.h"
#include "fuzz/columns.h"

namespace {

using namespace pipedrive;
using namespace pipedrive::fuzz;

struct Target {
    const Entity* entity;
    std::vector<BoundColumn> columns;
};

std::vector<Target> all_targets() {
    std::vector<Target> out;
    for (const Entity* entity : entities())
        if (!entity->webhook.object.empty()) out.push_back({entity, all_columns(*entity)});
    return out;
}

void check_cell(const Cell& cell) {
    if (cell.type == CellType::Text &&
        (!utf8_valid(cell.view()) || cell.view().find('\0') != std::string_view::npos))
        __builtin_trap();
    if (cell.type == CellType::TextArray)
        for (std::uint32_t i = 0; i < cell.size; ++i)
            check_cell(cell.items[i]);
}

std::string decoded(const Entity& entity, const Target& target, std::string_view json,
                    RecordShape shape, Unfit unfit) {
    DecodedRecord record;
    decode_record(json, shape, entity, target.columns, &record, unfit);
    for (const Cell& cell : record.cells)
        check_cell(cell);
    std::string out = record_json(target.columns, record);
    const JsonDocument readable(out, "fuzz");
    return out;
}

// The record that the rules make, as text, says the same to a decoder that knows no rules.
void check_rules(const Target& target, std::string_view json, RecordShape shape,
                 const std::string& expected) {
    const JsonDocument document(json, "fuzz");
    Arena arena;
    TapeWriter tape(&arena);
    std::string listed;
    as_listed(document.root(), shape == RecordShape::Flat ? EventVersion::One : EventVersion::Two,
              target.entity->webhook.fields, &tape)
        .write(&listed);
    Entity ruleless = *target.entity;
    ruleless.webhook = {};
    if (decoded(ruleless, target, listed, shape, Unfit::LeaveOut) != expected) __builtin_trap();
}

void try_shape(const Target& target, std::string_view json, RecordShape shape) {
    const std::string lenient = decoded(*target.entity, target, json, shape, Unfit::LeaveOut);
    if (shape != RecordShape::Rest) check_rules(target, json, shape, lenient);
    survive([&] {
        if (decoded(*target.entity, target, json, shape, Unfit::Throw) != lenient) __builtin_trap();
    });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<Target> targets = all_targets();
    if (size == 0) return 0;
    const Target& target = targets[data[0] % targets.size()];
    const std::string_view json(reinterpret_cast<const char*>(data) + 1, size - 1);
    for (const RecordShape shape : {RecordShape::Rest, RecordShape::Flat, RecordShape::Webhook}) {
        try {
            try_shape(target, json, shape);
        } catch (const Error& error) {
            if (error.kind == ErrorKind::BadValue) __builtin_trap(); // it costs its column only
        }
    }
    return 0;
}
