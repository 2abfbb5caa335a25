// A scan that is run again and again with other values, as the inner side of a join is: it
// remembers what it was told, and no plan makes it much dearer than twice the cheapest way.
//
// Ids and other questions are asked once. Beside them the whole list (what the values that never
// change select) is read, page by page, never for more than the questions have cost or are sure to
// cost: whichever of the two ways is cheaper, the bill is at most about double, and nobody needs to
// know beforehand how long the list is. Once it is read, everything is answered from it. Rows may
// be more than the values select, as with every superset; never fewer.
#pragma once

#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "core/scan/row_store.h"
#include "core/scan/scan.h"

namespace pipedrive {

struct Repetition {
    bool expected = false; // the same values may well come again: rows are kept from the start
    bool rounds = false;   // other values are to come
    std::size_t memory = 4 << 20; // of kept rows; what is over it goes to the file
    std::string file;             // its path; empty: all stays in memory
    std::int64_t list_rows = 0;   // a guess of the rows of the whole list; 0: none
    bool known = false;           // it is none, but what a scan has seen
};

class RepeatedScan {
  public:
    RepeatedScan(const Account& account, ScanSpec spec, Transport& transport, Clock& clock,
                 CatalogueSlot& definitions, Repetition repetition);

    // As of Scan.
    void start(std::vector<Value> values, WalkPart part = {});
    Scan::Step step(WaitFor* wait);
    std::span<const Cell> row() const noexcept {
        return phase_ == Phase::Passing ? scan_.row() : cells_;
    }
    const RowKey& row_key() const noexcept {
        return phase_ == Phase::Passing ? scan_.row_key() : store_.key();
    }
    int page_number() const noexcept { return scan_.page_number(); }
    std::optional<std::string> next_position() const { return scan_.next_position(); }
    // Of a part of a walk, as of Scan.
    const std::vector<BadRow>& bad_rows() const noexcept { return scan_.bad_rows(); }
    bool sets_aside() const noexcept { return phase_ == Phase::Passing && scan_.sets_aside(); }
    void set_aside(std::string_view column, std::string_view reason) {
        scan_.set_aside(column, reason);
    }
    std::optional<Micros> answered_at() const noexcept { return scan_.answered_at(); }
    std::optional<std::int64_t> highest_id() const noexcept { return scan_.highest_id(); }
    Traffic traffic() const noexcept;
    std::int64_t rows_fetched() const noexcept;
    std::vector<UnknownOption> take_notices();
    bool has_notices() const noexcept;
    // Rows of the table, once all of them were read in this round; else -1.
    std::int64_t whole_table() const noexcept { return whole_table_; }
    const ScanSpec& spec() const noexcept; // once there was a row, with every column resolved

  private:
    // Passing: rows of scan_ are handed out as they come. Asking: they are kept first. Listing: the
    // same with those of list_. Serving: kept ones are handed out.
    enum class Phase : std::uint8_t { Deciding, Passing, Asking, Listing, Serving, Finished };
    static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
    static constexpr std::int64_t kNoEnd = -1;

    void note_what_varies();
    void decide();
    void decide_by_ids();
    void ask(KeyList ids);
    bool keep_asked(WaitFor* wait);
    bool keep_listed(WaitFor* wait);
    void pass_on();
    Scan::Step pass(WaitFor* wait);
    void serve(std::vector<std::size_t> rows);
    std::vector<std::size_t> listed_rows();
    bool list_is_due(std::int64_t sure);
    void read_list(std::int64_t sure); // kNoEnd: all of it
    void make_list();
    void forget_list();
    void page_listed();
    std::int64_t credit(std::int64_t sure) const;
    const std::vector<Stream>& list_streams() const;
    std::int64_t page_price() const;
    FilterKind kind_of(const Predicate& predicate) const;
    std::size_t remember(const Scan& from);
    std::string question() const;
    bool asks_for_list() const;

    const Account& account_;
    Transport& transport_;
    Clock& clock_;
    CatalogueSlot& definitions_;
    Repetition repetition_;
    ScanSpec spec_; // as declared
    Scan scan_;

    int round_ = 0;
    Phase phase_ = Phase::Deciding;
    std::vector<Value> first_values_, values_;
    std::vector<bool> varies_;
    RequestPlan plan_;   // of values_
    KeyList pending_;    // ids of this round without an answer
    KeyList asked_;      // of them, under way
    bool keeps_ = false; // the rows that pass
    std::vector<std::size_t> kept_;

    RowStore store_;
    KeyMap<std::size_t> by_id_; // row, or kNowhere: there is none
    std::string lists_;         // those that by_id_ is about
    std::unordered_map<std::string, std::vector<std::size_t>> answers_; // by question

    std::optional<Scan> list_;
    RequestPlan list_plan_;
    std::string position_;
    std::unordered_set<std::string> positions_; // met
    std::int64_t lost_price_ = 0;               // of lists that had to be given up
    Traffic past_;                              // of them
    std::int64_t past_rows_ = 0;
    bool list_done_ = false, list_off_ = false;
    std::vector<std::size_t> listed_;
    std::string index_column_; // what index_ is by
    std::unordered_map<std::int64_t, std::vector<std::size_t>> index_;

    bool walked_ = false; // this round is part of a walk
    std::int64_t passed_ = 0, whole_table_ = -1;
    std::vector<std::size_t> serving_;
    std::size_t next_ = 0;
    std::span<const Cell> cells_;
};

} // namespace pipedrive
