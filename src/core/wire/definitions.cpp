#include "core/wire/definitions.h"

#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/wire/envelope.h"
#include "core/wire/reader.h"
#include "core/wire/storable.h"

namespace pipedrive {
namespace {

// Option ids are integers for custom fields, words or booleans for some built-in ones; only their
// text matters.
std::string text_of(JsonValue v) {
    if (v.is(Tok::True)) return "true";
    if (v.is(Tok::False)) return "false";
    return storable_text(v.text());
}

// A label that is null labels nothing: such an option reads like one that nobody knows.
void read_options(JsonValue options, FieldDefinition* field) {
    options.each_element([&](JsonValue option) {
        if (!option.member("label").is_null())
            field->options.push_back(
                {text_of(option.member("id")), text_of(option.member("label"))});
    });
}

// A code that comes twice, as when the list moves while it is read, is one field: the last one.
class Fields {
  public:
    explicit Fields(FieldCatalogue* to) : to_(to) {
        for (std::size_t i = 0; i < to->fields.size(); ++i)
            places_.emplace(to->fields[i].code, i);
    }
    void add(FieldDefinition field) {
        if (field.code.empty()) return;
        if (field.type.empty()) field.type = "unknown";
        const auto [place, is_new] = places_.emplace(field.code, to_->fields.size());
        if (is_new)
            to_->fields.push_back(std::move(field));
        else
            to_->fields[place->second] = std::move(field);
    }

  private:
    FieldCatalogue* to_;
    std::unordered_map<std::string, std::size_t> places_;
};

FieldDefinition decode_field(JsonValue v) {
    FieldDefinition field;
    field.code = text_of(v.member("field_code"));
    field.name = text_of(v.member("field_name"));
    field.type = text_of(v.member("field_type"));
    const JsonValue custom = v.member("is_custom_field");
    field.custom = custom.is(Tok::True) || (!custom.is(Tok::False) && is_field_hash(field.code));
    field.optional = v.member("is_optional_response_field").is(Tok::True);
    read_options(v.member("options"), &field);
    return field;
}

} // namespace

std::string definitions_subject(std::string_view entity) {
    return "field definitions of " + std::string(entity);
}

std::string decode_definitions(std::string_view body, std::string_view entity,
                               FieldCatalogue* catalogue) {
    const JsonDocument document(body, definitions_subject(entity));
    return decode_definitions(document.root(), entity, catalogue);
}

std::string decode_definitions(JsonValue root, std::string_view entity, FieldCatalogue* catalogue) {
    const std::string subject = definitions_subject(entity);
    const JsonValue data = root.member("data");
    const JsonValue success = root.member("success");
    if (!success.absent() && !success.is(Tok::True))
        throw Error(ErrorKind::Malformed, subject,
                    failure_detail(success.is(Tok::False), root.member("error").text()));
    if (!data.is(Tok::Array))
        throw Error(ErrorKind::Malformed, subject, "The answer has no \"data\" array.");
    Fields fields(catalogue);
    data.each_element([&](JsonValue v) { fields.add(decode_field(v)); });
    return list_end(root.member("additional_data"), Paging::Cursor, subject).cursor;
}

std::string write_catalogue(const FieldCatalogue& catalogue) {
    std::string out;
    JsonWriter json(&out);
    json.open('[');
    for (const FieldDefinition& field : catalogue.fields) {
        json.open('{');
        json.member("code", field.code);
        json.member("name", field.name);
        json.member("type", field.type);
        json.member("custom", field.custom);
        json.member("optional", field.optional);
        json.key("options");
        json.open('[');
        for (const FieldOption& option : field.options) {
            json.open('{');
            json.member("id", option.id);
            json.member("label", option.label);
            json.close('}');
        }
        json.close(']');
        json.close('}');
    }
    json.close(']');
    return out;
}

FieldCatalogue read_catalogue(std::string_view json) {
    const JsonDocument document(json, "field catalogue");
    FieldCatalogue catalogue;
    Fields fields(&catalogue);
    document.root().each_element([&](JsonValue v) {
        FieldDefinition field;
        field.code = text_of(v.member("code"));
        field.name = text_of(v.member("name"));
        field.type = text_of(v.member("type"));
        field.custom = v.member("custom").is(Tok::True);
        field.optional = v.member("optional").is(Tok::True);
        read_options(v.member("options"), &field);
        fields.add(std::move(field));
    });
    return catalogue;
}

} // namespace pipedrive
