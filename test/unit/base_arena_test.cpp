#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "core/base/arena.h"

namespace pipedrive {
namespace {

TEST(Arena, CopiesStayWhereTheyAre) {
    std::mt19937 random(1);
    Arena arena;
    std::vector<std::pair<std::string, std::string_view>> kept;
    for (int i = 0; i < 3000; ++i) {
        const std::size_t size = random() % 100 == 0 ? random() % 200000 : random() % 100;
        std::string text(size, static_cast<char>('a' + i % 26));
        const std::string_view copy = arena.copy(text);
        kept.emplace_back(std::move(text), copy);
    }
    for (const auto& [text, copy] : kept)
        ASSERT_EQ(text, copy);
}

TEST(Arena, KnowsItsOwn) {
    Arena arena, other;
    std::vector<std::string_view> kept;
    for (std::size_t size : {1u, 20000u, 7u, 3000000u})
        kept.push_back(arena.copy(std::string(size, 'x')));
    for (std::string_view own : kept) {
        EXPECT_TRUE(arena.owns(own));
        EXPECT_TRUE(arena.owns(own.substr(own.size() / 2)));
        EXPECT_FALSE(other.owns(own));
    }
    EXPECT_FALSE(arena.owns("elsewhere"));
    EXPECT_FALSE(arena.owns({}));
    arena.clear();
    EXPECT_FALSE(arena.owns(kept[0]));
}

TEST(Arena, AlignsForAnyScalar) {
    Arena arena;
    for (std::size_t n : {1u, 3u, 7u, 0u, 17u, 1000u})
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(arena.allocate(n)) % alignof(std::max_align_t),
                  0u);
}

TEST(Arena, EmptyTextIsNotNull) {
    Arena arena;
    EXPECT_NE(arena.copy("").data(), nullptr);
    EXPECT_EQ(arena.bytes_reserved(), 0u);
}

TEST(Arena, ClearKeepsTheLargestBlock) {
    Arena arena;
    arena.allocate(100);
    std::memset(arena.allocate(3000000), 1, 3000000);
    arena.allocate(100);
    const std::size_t before = arena.bytes_reserved();
    arena.clear();
    EXPECT_LT(arena.bytes_reserved(), before);
    const std::size_t kept = arena.bytes_reserved();
    EXPECT_GE(kept, 3000000u);
    std::memset(arena.allocate(2999000), 1, 2999000);
    EXPECT_EQ(arena.bytes_reserved(), kept);
    Arena().clear();
}

TEST(Arena, SteadyPagesReserveNothingMore) {
    Arena arena;
    std::size_t settled = 0;
    for (int page = 0; page < 50; ++page) {
        for (int i = 0; i < 5000; ++i)
            arena.copy("some text of a cell");
        arena.clear();
        if (page == 10) settled = arena.bytes_reserved();
    }
    EXPECT_EQ(arena.bytes_reserved(), settled);
}

TEST(Arena, MovesAndStaysUsable) {
    Arena a;
    const std::string_view text = a.copy("kept across the move");
    Arena b = std::move(a);
    EXPECT_EQ(text, "kept across the move");
    EXPECT_EQ(a.copy("again"), "again"); // NOLINT: a moved-from arena is empty
    b = Arena();
    EXPECT_EQ(b.copy("x"), "x");
}

TEST(Arena, ImpossibleSizesThrow) {
    Arena arena;
    EXPECT_THROW(arena.allocate(SIZE_MAX), std::bad_alloc);
    EXPECT_THROW(arena.allocate(SIZE_MAX - 15), std::bad_alloc);
}

} // namespace
} // namespace pipedrive
