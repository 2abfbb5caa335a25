#include "pg/pg_prelude.h"

#include "pg/datum.h"

#include <algorithm>

extern "C" {
#include "catalog/namespace.h"
#include "utils/fmgrprotos.h"
#include "utils/uuid.h"
}

#include "core/base/time.h"
#include "core/wire/storable.h"
#include "pg/guard.h"

namespace pipedrive::pg {
namespace {

// The types a kind converts to without text, or through the input function where that is how the
// type is made (numeric, jsonb, uuid). Every kind may also be shown in a column of a string type.
struct TypeRow {
    Kind kind;
    Oid types[5];
};
constexpr TypeRow kTypes[] = {
    {Kind::Int, {INT8OID, INT4OID, INT2OID, NUMERICOID, FLOAT8OID}},
    {Kind::Number, {NUMERICOID, FLOAT8OID, FLOAT4OID}},
    {Kind::Bool, {BOOLOID}},
    {Kind::Text, {}},
    {Kind::Timestamp, {TIMESTAMPTZOID}},
    {Kind::Date, {DATEOID}},
    {Kind::TimeOfDay, {TIMEOID, INTERVALOID}},
    {Kind::Duration, {INTERVALOID}},
    {Kind::Uuid, {UUIDOID}},
    {Kind::Json, {JSONBOID, JSONOID}},
    {Kind::IntArray, {INT8ARRAYOID}},
    {Kind::UuidArray, {UUIDARRAYOID, TEXTARRAYOID}},
    {Kind::Primary, {}},
    {Kind::Address, {}},
    {Kind::Option, {}},
    {Kind::OptionId, {INT8OID, INT4OID, NUMERICOID}},
    {Kind::OptionSet, {TEXTARRAYOID}},
    {Kind::OptionSetIds, {INT8ARRAYOID}},
    {Kind::LabelNames, {TEXTARRAYOID}},
};
static_assert(lengthof(kTypes) == static_cast<std::size_t>(Kind::Count_), "one row for each kind");

const TypeRow& type_row(Kind kind) {
    for (const TypeRow& row : kTypes)
        if (row.kind == kind) return row;
    elog(ERROR, "no type row for kind %d", static_cast<int>(kind));
}

bool is_string_type(Oid type) {
    char category;
    bool preferred;
    get_type_category_preferred(type, &category, &preferred);
    return category == TYPCATEGORY_STRING || type_is_enum(type);
}

bool is_array_kind(Kind kind) {
    return kind == Kind::IntArray || kind == Kind::OptionSet || kind == Kind::OptionSetIds ||
           kind == Kind::LabelNames || kind == Kind::UuidArray;
}

// Direct conversions, by cell and SQL type. Anything else that type_row allows goes through the
// input function.
struct DirectRow {
    CellType cell;
    Oid type;
    Datum (*convert)(const Cell* cell);
};

Datum interval_datum(const Cell* cell) {
    Interval* interval = static_cast<Interval*>(palloc0(sizeof(Interval)));
    interval->time = cell->integer;
    return IntervalPGetDatum(interval);
}

Datum int_array_datum(const Cell* cell) {
    Datum* values = static_cast<Datum*>(palloc(sizeof(Datum) * (cell->size + 1)));
    bool* nulls = static_cast<bool*>(palloc(sizeof(bool) * (cell->size + 1)));
    for (uint32 i = 0; i < cell->size; ++i) {
        nulls[i] = cell->items[i].type == CellType::Null;
        values[i] = Int64GetDatum(nulls[i] ? 0 : cell->items[i].integer);
    }
    int dims[1] = {static_cast<int>(cell->size)}, lower[1] = {1};
    if (cell->size == 0) return PointerGetDatum(construct_empty_array(INT8OID));
    return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lower, INT8OID, 8,
                                              FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum text_array_datum(const Cell* cell) {
    Datum* values = static_cast<Datum*>(palloc(sizeof(Datum) * (cell->size + 1)));
    bool* nulls = static_cast<bool*>(palloc(sizeof(bool) * (cell->size + 1)));
    for (uint32 i = 0; i < cell->size; ++i) {
        const Cell* item = &cell->items[i];
        nulls[i] = item->type == CellType::Null;
        values[i] = nulls[i] ? Datum(0) : CStringGetTextDatum(server_text(item->text, item->size));
    }
    int dims[1] = {static_cast<int>(cell->size)}, lower[1] = {1};
    if (cell->size == 0) return PointerGetDatum(construct_empty_array(TEXTOID));
    return PointerGetDatum(
        construct_md_array(values, nulls, 1, dims, lower, TEXTOID, -1, false, TYPALIGN_INT));
}

Datum uuid_array_datum(const Cell* cell) {
    Datum* values = static_cast<Datum*>(palloc(sizeof(Datum) * (cell->size + 1)));
    bool* nulls = static_cast<bool*>(palloc(sizeof(bool) * (cell->size + 1)));
    for (uint32 i = 0; i < cell->size; ++i) {
        const Cell* item = &cell->items[i];
        nulls[i] = item->type == CellType::Null;
        values[i] = nulls[i] ? Datum(0)
                             : DirectFunctionCall1(
                                   uuid_in, CStringGetDatum(pnstrdup(item->text, item->size)));
    }
    int dims[1] = {static_cast<int>(cell->size)}, lower[1] = {1};
    if (cell->size == 0) return PointerGetDatum(construct_empty_array(UUIDOID));
    return PointerGetDatum(
        construct_md_array(values, nulls, 1, dims, lower, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
}

Datum server_text_datum(const Cell* cell) {
    if (GetDatabaseEncoding() == PG_UTF8)
        return PointerGetDatum(cstring_to_text_with_len(cell->text, static_cast<int>(cell->size)));
    return CStringGetTextDatum(server_text(cell->text, cell->size));
}

constexpr DirectRow kDirect[] = {
    {CellType::Int, INT8OID, [](const Cell* c) { return Int64GetDatum(c->integer); }},
    {CellType::Bool, BOOLOID, [](const Cell* c) { return BoolGetDatum(c->integer != 0); }},
    {CellType::Text, TEXTOID, server_text_datum},
    {CellType::Timestamp, TIMESTAMPTZOID,
     [](const Cell* c) { return TimestampTzGetDatum(c->integer); }},
    {CellType::Date, DATEOID,
     [](const Cell* c) { return DateADTGetDatum(static_cast<DateADT>(c->integer)); }},
    {CellType::TimeOfDay, TIMEOID, [](const Cell* c) { return TimeADTGetDatum(c->integer); }},
    {CellType::TimeOfDay, INTERVALOID, interval_datum},
    {CellType::Duration, INTERVALOID, interval_datum},
    {CellType::IntArray, INT8ARRAYOID, int_array_datum},
    {CellType::TextArray, TEXTARRAYOID, text_array_datum},
    {CellType::TextArray, UUIDARRAYOID, uuid_array_datum},
};

const DirectRow* direct_row(CellType cell, Oid type) {
    for (const DirectRow& row : kDirect)
        if (row.cell == cell && row.type == type) return &row;
    return nullptr;
}

char* integer_text(int64 i) {
    return psprintf(INT64_FORMAT, i);
}

// What the input function of a type is given; independent of DateStyle, IntervalStyle and TimeZone.
char* cell_text(const Cell* cell) {
    switch (cell->type) {
        case CellType::Int:
            return integer_text(cell->integer);
        case CellType::Bool:
            return pstrdup(cell->integer != 0 ? "true" : "false");
        case CellType::Text:
        case CellType::Decimal:
        case CellType::Json:
            return server_text(cell->text, cell->size);
        case CellType::Timestamp:
            return entry_text({}, [&] { return format_timestamp(cell->integer); });
        case CellType::Date:
            return entry_text({}, [&] { return format_date(static_cast<Days>(cell->integer)); });
        case CellType::TimeOfDay:
            return entry_text({}, [&] { return format_time_of_day(cell->integer); });
        case CellType::Duration:
            return psprintf(INT64_FORMAT " seconds", cell->integer / kSecond);
        case CellType::Null:
        case CellType::IntArray:
        case CellType::TextArray:
            break;
    }
    elog(ERROR, "cell type %d has no text form", static_cast<int>(cell->type));
}

} // namespace

char* server_text(const char* utf8, Size size) {
    char* copy = pnstrdup(utf8, size);
    if (GetDatabaseEncoding() == PG_UTF8) return copy;
    return pg_any_to_server(copy, static_cast<int>(size), PG_UTF8);
}

void prepare_converter(Converter* converter, Kind kind, const char* name, Oid type, int32 typmod) {
    converter->name = name;
    converter->type = type;
    converter->typmod = typmod;
    converter->base_type = getBaseTypeAndTypmod(type, &converter->typmod);
    converter->domain = converter->base_type != type;
    converter->context = CurrentMemoryContext;
    const TypeRow& row = type_row(kind);
    bool fits = !is_array_kind(kind) && is_string_type(converter->base_type);
    for (Oid allowed : row.types)
        fits = fits || (OidIsValid(allowed) && allowed == converter->base_type);
    if (!fits) {
        const std::string_view wanted = kind_row(kind).sql_type;
        ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
                        errmsg("column \"%s\" of type %s cannot show its Pipedrive field", name,
                               format_type_be(type)),
                        errhint("Declare the column as %.*s.", static_cast<int>(wanted.size()),
                                wanted.data())));
    }
    // A length or precision limit lives in the input function.
    converter->by_text = converter->typmod >= 0;
    Oid function;
    getTypeInputInfo(converter->base_type, &function, &converter->io_param);
    fmgr_info(function, &converter->input);
}

namespace {

// What jsonb_in would say in words of its own, and with an excerpt of the value.
void check_jsonb(const Converter* converter, const Cell* cell) {
    if (cell->type != CellType::Json || converter->base_type != JSONBOID ||
        !escapes_unstorable(cell->view()))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_FDW_INVALID_DATA_TYPE),
             errmsg("invalid value from Pipedrive for column \"%s\"", converter->name),
             errdetail("The value contains \\u0000 or half a surrogate pair, which jsonb cannot "
                       "store."),
             errhint("Leave the column out of the query, declare it as json, or correct the value "
                     "in Pipedrive.")));
}

Datum convert(Converter* converter, const Cell* cell) {
    check_jsonb(converter, cell);
    const bool array = cell->type == CellType::IntArray || cell->type == CellType::TextArray;
    if (!converter->by_text || array)
        if (const DirectRow* row = direct_row(cell->type, converter->base_type))
            return row->convert(cell);
    return InputFunctionCall(&converter->input, cell_text(cell), converter->io_param,
                             converter->typmod);
}

} // namespace

bool cell_fits_encoding(const Cell* cell) {
    const int encoding = GetDatabaseEncoding();
    if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII) return true;
    if (cell->type == CellType::TextArray)
        return std::all_of(cell->items, cell->items + cell->size,
                           [](const Cell& item) { return cell_fits_encoding(&item); });
    if (cell->type != CellType::Text && cell->type != CellType::Json) return true;
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (std::all_of(cell->text, cell->text + cell->size, is_ascii)) return true;
    const Oid conversion = FindDefaultConversionProc(PG_UTF8, encoding);
    if (!OidIsValid(conversion)) return true; // the conversion itself will say so
    const int size = static_cast<int>(cell->size);
    const int room = size * MAX_CONVERSION_GROWTH + 1;
    auto* source = reinterpret_cast<unsigned char*>(pnstrdup(cell->text, cell->size));
    auto* target = static_cast<unsigned char*>(palloc(static_cast<Size>(room)));
    const int converted = pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding, source, size,
                                                        target, room, true);
    pfree(source);
    pfree(target);
    return converted == size;
}

bool cell_to_datum(Converter* converter, const Cell* cell, Datum* out) {
    const bool isnull = cell->type == CellType::Null;
    *out = isnull ? Datum(0) : convert(converter, cell);
    if (converter->domain)
        domain_check(*out, isnull, converter->type, &converter->domain_extra, converter->context);
    return !isnull;
}

} // namespace pipedrive::pg
