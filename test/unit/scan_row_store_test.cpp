#include "core/scan/row_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/error.h"

#include "unit/cells.h"

namespace pipedrive {
namespace {

using namespace test;

Cell number(std::int64_t i) {
    Cell c;
    c.type = CellType::Int;
    c.integer = i;
    return c;
}

Cell text(std::string_view s) {
    Cell c;
    c.type = CellType::Text;
    c.text = s.data();
    c.size = static_cast<std::uint32_t>(s.size());
    return c;
}

std::string shown(std::span<const Cell> row) {
    std::string out;
    for (const Cell& c : row)
        out += show(c) + " ";
    return out;
}

TEST(RowStore, GivesBackWhatItWasGiven) {
    const Cell items[] = {text("a"), Cell(), text("")};
    Cell array;
    array.type = CellType::TextArray;
    array.items = items;
    array.size = 3;
    const std::string long_text(100000, 'x');
    const Cell row[] = {number(-7), Cell(), text(long_text), array, text("é")};
    RowStore store(1 << 20, {});
    EXPECT_EQ(store.add(RowKey::of(5), row), 0u);
    EXPECT_EQ(store.add(RowKey::of("Live chat"), {}), 1u);
    EXPECT_EQ(shown(store.read(0)), shown(row));
    EXPECT_EQ(store.read(1).size(), 0u);
    EXPECT_EQ(store.key(), RowKey::of("Live chat"));
    const Uuid uuid{17, 4};
    EXPECT_EQ(store.add(RowKey::of(uuid), row), 2u);
    EXPECT_EQ(store.add(RowKey(), row), 3u);
    store.read(0);
    EXPECT_EQ(store.key(), RowKey::of(5));
    EXPECT_EQ(shown(store.read(2)), shown(row));
    EXPECT_EQ(store.key(), RowKey::of(uuid));
    EXPECT_EQ(shown(store.read(3)), shown(row));
    EXPECT_EQ(store.key().kind(), KeyKind::None);
}

TEST(RowStore, WhatIsOverTheLimitGoesToAFileThatNobodySees) {
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("row_store_" + std::to_string(::getpid()));
    RowStore store(1000, path.string());
    for (int i = 0; i < 1000; ++i) {
        const std::string word = "row " + std::to_string(i);
        const Cell row[] = {number(i), text(word)};
        store.add(RowKey::of(i), row);
    }
    EXPECT_GT(store.bytes_in_file(), 20000u);
    EXPECT_LT(store.bytes_in_memory(), 3000u);
    EXPECT_FALSE(std::filesystem::exists(path));
    for (int i = 999; i >= 0; i -= 7) {
        const std::string word = "row " + std::to_string(i);
        const Cell row[] = {number(i), text(word)};
        EXPECT_EQ(shown(store.read(static_cast<std::size_t>(i))), shown(row));
    }
}

TEST(RowStore, AFileThatCannotBeMadeIsAnError) {
    RowStore store(10, "/nowhere/at/all");
    const Cell row[] = {text("more than ten bytes")};
    EXPECT_THROW(store.add(RowKey::of(1), row), Error);
}

} // namespace
} // namespace pipedrive
