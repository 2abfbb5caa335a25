// The record of an event, whose keys and values the rows of the entity's webhook
// (catalog/webhook.h) turn into those of its lists.
#pragma once

#include <span>

#include "core/catalog/webhook.h"
#include "core/wire/reader.h"
#include "core/wire/tape.h"

namespace pipedrive {

// An object with what the rows say in place of, or beside, what it had; `record` itself where they
// say nothing of it. What cannot be read says nothing. The result is on `tape`, which is empty and
// which `record` outlives, and valid until that changes. Never fails.
JsonValue as_listed(JsonValue record, EventVersion version, std::span<const EventField> fields,
                    TapeWriter* tape);

} // namespace pipedrive
