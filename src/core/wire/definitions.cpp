#include "core/wire/definitions.h"

#include "core/base/error.h"
#include "core/wire/reader.h"

namespace pipedrive {
namespace {

// Option ids are integers for custom fields, words or booleans for some built-in ones; only their
// text matters.
std::string text_of(JsonValue v) {
    if (v.is(Tok::True)) return "true";
    if (v.is(Tok::False)) return "false";
    return std::string(v.text());
}

FieldDefinition decode_field(JsonValue v) {
    FieldDefinition field;
    field.code = text_of(v.member("field_code"));
    field.name = text_of(v.member("field_name"));
    field.type = text_of(v.member("field_type"));
    field.custom = v.member("is_custom_field").is(Tok::True);
    field.optional = v.member("is_optional_response_field").is(Tok::True);
    v.member("options").each_element([&](JsonValue option) {
        field.options.push_back({text_of(option.member("id")), text_of(option.member("label"))});
    });
    return field;
}

} // namespace

std::string decode_definitions(std::string_view body, std::string_view entity,
                               FieldCatalogue* catalogue) {
    const std::string subject = "field definitions of " + std::string(entity);
    const JsonDocument document(body, subject);
    const JsonValue root = document.root();
    const JsonValue data = root.member("data");
    if (!data.is(Tok::Array) || root.member("success").is(Tok::False))
        throw Error(ErrorKind::Malformed, subject, "The answer has no \"data\" array.");
    data.each_element([&](JsonValue v) {
        FieldDefinition field = decode_field(v);
        if (!field.code.empty()) catalogue->fields.push_back(std::move(field));
    });
    return std::string(root.member("additional_data").member("next_cursor").text());
}

} // namespace pipedrive
