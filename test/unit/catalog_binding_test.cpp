// From a column's name and options to the field it reads, with and without definitions.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/catalog/binding.h"
#include "unit/cells.h"

namespace pipedrive {
namespace {

using test::hash_code;

const std::string kHash = hash_code(1);

BoundColumn bind(const char* entity, DeclaredColumn declared) {
    return bind_column(require_entity(entity), declared);
}

template <typename F>
Error caught(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        return e;
    }
    ADD_FAILURE() << "no error";
    return Error(ErrorKind::Internal, "");
}

FieldCatalogue catalogue() {
    FieldCatalogue c;
    c.fields.push_back({kHash, "Budget", "monetary", true, false, {}});
    c.fields.push_back({"score", "Score", "int", false, true, {}});
    return c;
}

TEST(Binding, StandardColumnsByNameAndByField) {
    for (const Entity* each : entities())
        for (const Column& column : each->columns) {
            const Entity& entity = *each;
            const std::string name(column.name), field(column.field), part(column.subfield);
            const BoundColumn by_name = bind_column(entity, {3, name, "", "", ""});
            const BoundColumn by_field = bind_column(entity, {3, "other", field, part, ""});
            for (const BoundColumn& b : {by_name, by_field}) {
                EXPECT_EQ(b.field, column.field);
                EXPECT_EQ(b.kind, column.kind) << name;
                EXPECT_EQ(b.source, column.source);
                EXPECT_EQ(b.optional, column.presence == Presence::Optional);
                EXPECT_TRUE(b.resolved);
                EXPECT_EQ(b.attnum, 3);
                EXPECT_EQ(b.part, nullptr);
            }
            EXPECT_EQ(by_field.name, "other");
        }
}

TEST(Binding, CustomColumnsWithTheirType) {
    const BoundColumn amount = bind("deals", {1, "budget", kHash, "", "monetary"});
    EXPECT_EQ(amount.kind, Kind::Number);
    EXPECT_EQ(amount.source, Source::Custom);
    EXPECT_TRUE(amount.resolved);
    const BoundColumn currency = bind("deals", {1, "c", kHash, "currency", "monetary"});
    EXPECT_EQ(currency.kind, Kind::Text);
    EXPECT_EQ(caught([] {
                  bind("deals", {1, "c", kHash, "until", "monetary"});
              }).kind,
              ErrorKind::BadOption);
    // The name of the column is the field when no option says otherwise.
    EXPECT_EQ(bind("deals", {1, kHash, "", "", "double"}).field, kHash);
}

// The API adds types; a table with such a field is a table all the same.
TEST(Binding, TypesThatNobodyKnowsAreJson) {
    const BoundColumn formula = bind("deals", {1, "f", kHash, "", "formula"});
    EXPECT_TRUE(formula.resolved);
    EXPECT_EQ(formula.kind, Kind::Json);
    EXPECT_EQ(formula.source, Source::Custom);
    FieldCatalogue known;
    known.fields.push_back({kHash, "F", "formula", true, false, {}});
    EXPECT_NO_THROW(check_against(require_entity("deals"), known, formula));
    BoundColumn found = bind("deals", {1, "f", kHash, "", ""});
    resolve_column(require_entity("deals"), known, &found);
    EXPECT_EQ(found, formula);
    EXPECT_EQ(caught([] {
                  bind("deals", {1, "f", kHash, "id", "formula"});
              }).kind,
              ErrorKind::BadOption);
}

TEST(Binding, EntitiesWithoutDefinitionsKnowTheirFields) {
    const Error e = caught([] { bind("activities", {1, "subjct", "", "", ""}); });
    EXPECT_EQ(e.kind, ErrorKind::UnknownField);
    EXPECT_EQ(e.column, "subjct");
    EXPECT_NE(e.hint.find("\"subject\""), std::string::npos) << e.hint;
    EXPECT_EQ(caught([] {
                  bind("stages", {1, "x", kHash, "", "double"});
              }).kind,
              ErrorKind::UnknownField);
}

TEST(Binding, UnresolvedColumnsAreResolvedByTheDefinitions) {
    const Entity& deals = require_entity("deals");
    const FieldCatalogue known = catalogue();
    BoundColumn budget = bind("deals", {1, "b", kHash, "currency", ""});
    EXPECT_FALSE(budget.resolved);
    EXPECT_EQ(budget.source, Source::Custom);
    resolve_column(deals, known, &budget);
    EXPECT_TRUE(budget.resolved);
    EXPECT_EQ(budget.kind, Kind::Text);
    EXPECT_EQ(budget, bind("deals", {1, "b", kHash, "currency", "monetary"}));
    BoundColumn score = bind("deals", {1, "score", "", "", ""});
    resolve_column(deals, known, &score);
    EXPECT_EQ(score.source, Source::Field);
    EXPECT_TRUE(score.optional);
    EXPECT_EQ(score.kind, Kind::Int);
    BoundColumn wrong = bind("deals", {1, "budgt", "", "", ""});
    const Error e = caught([&] { resolve_column(deals, known, &wrong); });
    EXPECT_EQ(e.kind, ErrorKind::UnknownField);
    EXPECT_NE(e.hint.find(kHash), std::string::npos) << e.hint;
    BoundColumn part = bind("deals", {1, "b", kHash, "until", ""});
    EXPECT_EQ(caught([&] { resolve_column(deals, known, &part); }).kind, ErrorKind::BadOption);
}

TEST(Binding, DriftIsNoticed) {
    const Entity& deals = require_entity("deals");
    FieldCatalogue known = catalogue();
    const BoundColumn budget = bind("deals", {1, "b", kHash, "", "monetary"});
    EXPECT_NO_THROW(check_against(deals, known, budget));
    known.fields[0].name = "Renamed";
    EXPECT_NO_THROW(check_against(deals, known, budget));
    known.fields[0].type = "double";
    EXPECT_EQ(caught([&] { check_against(deals, known, budget); }).kind, ErrorKind::FieldGone);
    known.fields.clear();
    const Error e = caught([&] { check_against(deals, known, budget); });
    EXPECT_EQ(e.kind, ErrorKind::FieldGone);
    EXPECT_EQ(e.column, "b");
    EXPECT_NO_THROW(check_against(deals, known, bind("deals", {1, "title", "", "", ""})));
    // varchar and text are one kind of column.
    known = catalogue();
    known.fields[0].type = "text";
    EXPECT_NO_THROW(check_against(deals, known, bind("deals", {1, "b", kHash, "", "varchar"})));
}

TEST(Binding, ColumnsKnownToBeGone) {
    const BoundColumn gone = bind("deals", {1, "b", kHash, "", "monetary", true});
    EXPECT_EQ(gone.source, Source::Gone);
    EXPECT_NO_THROW(check_against(require_entity("deals"), {}, gone));
}

} // namespace
} // namespace pipedrive
