// One scan of an entity: lists walked page by page, rows handed out one at a time, nothing ever
// waited for.
//
// The caller calls step() until Done; on Wait it waits for what WaitFor says (or less) and calls
// again. A long page is decoded in slices, with a Wait of no time after each, so that the caller
// can look at interrupts. The next page travels while the rows of this one are handed out, but is
// asked for only when a quarter of them is gone, and not while this page has all that a LIMIT asks
// for: what one page can satisfy costs one request. No id is returned twice. Knows no PostgreSQL.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/catalog/binding.h"
#include "core/plan/predicate.h"
#include "core/plan/request_plan.h"
#include "core/scan/account.h"
#include "core/scan/definitions_reader.h"
#include "core/scan/id_set.h"
#include "core/wire/page.h"

namespace pipedrive {

struct ScanSpec {
    const Entity* entity = nullptr;
    std::vector<BoundColumn> columns; // wanted ones; unresolved ones are resolved from the
                                      // definitions before the first page
    std::vector<Predicate> predicates;
    int page_size = 500;
    // Rows after which the reader may well stop (a LIMIT); 0: not known. It only puts off asking
    // ahead, so a wrong one costs time, never rows.
    std::int64_t limit_hint = 0;
};

// A part of a scan: from a position that an earlier part ended at, over at most so many pages. The
// position names the list and holds the API's own cursor; it is good only for the same columns and
// values.
struct WalkPart {
    std::string position;    // empty: from the start
    int max_pages = 0;       // 0: all
    bool set_aside = false;  // rows with a value that does not fit are left out and told of
    bool lists_only = false; // ids are asked for in batches, never one by one
    // Newest rows first, and no further than the first row whose id is not above it.
    std::optional<std::int64_t> above_id = std::nullopt;
};

// Whether the rows of a walk have come newest first, by time or id. A few rows descend by chance in
// any order, and rows of the same time prove nothing: it takes kProof steps down, which chance
// gives one list in 40,000.
class NewestFirst {
  public:
    static constexpr int kProof = 8;

    void see(std::int64_t t) noexcept {
        broken_ = broken_ || (any_ && t > last_);
        if (any_ && t < last_ && descents_ < kProof) ++descents_;
        any_ = true;
        last_ = t;
    }
    void begin_list() noexcept {
        any_ = false;
        descents_ = 0;
    }
    void distrust() noexcept { broken_ = true; }
    bool broken() const noexcept { return broken_; }
    bool proved() const noexcept { return descents_ == kProof && !broken_; }
    std::int64_t last() const noexcept { return last_; }

  private:
    bool any_ = false, broken_ = false;
    int descents_ = 0;
    std::int64_t last_ = 0;
};

class Scan {
  public:
    enum class Step : std::uint8_t { Row, Wait, Done };

    // `account`, `transport`, `clock` and `definitions` outlive the scan.
    Scan(const Account& account, ScanSpec spec, Transport& transport, Clock& clock,
         CatalogueSlot& definitions);

    // Begins, or begins anew with other values (a rescan). Sends nothing yet.
    void start(std::vector<Value> values, WalkPart part = {});

    // Ends it early; what is under way is not wanted any more.
    void stop() noexcept;

    // After Done of a part: where the next one begins, nullopt when everything was read.
    std::optional<std::string> next_position() const;

    // Throws Error; after that only start() or destruction.
    Step step(WaitFor* wait);

    // After Row, until the next step(): cells in the order of ScanSpec::columns.
    std::span<const Cell> row() const noexcept { return page_.row(fresh_[next_row_ - 1]); }
    std::int64_t row_id() const noexcept { return page_.id(fresh_[next_row_ - 1]); }
    int page_number() const noexcept { return page_number_; }

    const Traffic& traffic() const noexcept { return traffic_; }
    std::int64_t rows_fetched() const noexcept { return rows_fetched_; }
    // Options that rows name and Pipedrive no longer has, each told once a session.
    std::vector<UnknownOption> take_notices() noexcept { return std::exchange(notices_, {}); }
    // Rows of this part that were set aside.
    const std::vector<BadRow>& bad_rows() const noexcept { return bad_rows_; }
    bool sets_aside() const noexcept { return part_.set_aside; }
    // Sets aside the row that the last step() gave, for a reason that only the caller can know.
    void set_aside(std::string_view column, std::string_view reason) {
        bad_rows_.push_back({row_id(), std::string(column), std::string(reason)});
    }
    // The server's clock at the first answer of this part; nullopt: it did not say.
    std::optional<Micros> answered_at() const noexcept { return answered_at_; }
    // Of the rows in the entity's first list that this part has seen; ids grow with time.
    std::optional<std::int64_t> highest_id() const noexcept { return highest_id_; }
    bool has_notices() const noexcept { return !notices_.empty(); }
    const ScanSpec& spec() const noexcept { return spec_; }
    // Documented price of all pages and records asked for, without field definitions and retries.
    std::int64_t price() const noexcept { return price_; }

  private:
    enum class Phase : std::uint8_t { Idle, Preparing, Reading, Finished };

    bool prepare(WaitFor* wait);
    void plan();
    bool request_next();
    void request_single(const Stream& stream, std::int64_t id);
    bool settle_single();
    bool not_by_id(const Error& error);
    bool receive(WaitFor* wait);
    void accept(std::string body);
    bool fetch_body(WaitFor* wait);
    void begin_decoding();
    bool is_custom(std::string_view column) const;
    bool decode(WaitFor* wait);
    bool needs_definitions() const;
    bool doubts_are_explained() const;
    void remember_doubts();
    bool labels_come_late() const;
    void settle_options();
    bool read_definitions(WaitFor* wait);
    void enter_stream();
    void leave_page();
    bool page_will_do() const;
    bool affordable() const noexcept;
    void collect_fresh();
    bool stop_reached();
    bool known_ids_reached();
    void resume();

    const Account& account_;
    ScanSpec spec_;
    Transport& transport_;
    Clock& clock_;
    CatalogueSlot& definitions_;
    Traffic traffic_;
    Fetch fetch_;
    std::optional<DefinitionsReader> reader_;
    std::shared_ptr<const FieldCatalogue> catalogue_; // used for this scan's labels
    std::exception_ptr
        refusal_;           // an error that may mean that a custom field is gone or was replaced
    bool in_doubt_ = false; // rows set aside may mean the same
    std::vector<UnknownOption> notices_;
    std::vector<BadRow> bad_rows_, page_bad_rows_; // of the part; of the page decoded last
    bool verified_ = false; // the definitions were read during this scan or one of its rescans

    std::vector<Value> values_;
    RequestPlan plan_;
    Phase phase_ = Phase::Idle;

    // The walk: which list, which batch of ids, which page.
    std::size_t stream_ = 0;
    std::vector<std::int64_t> ids_; // still to ask for in this stream
    std::size_t ids_asked_ = 0;     // of them, before the batch under way
    std::size_t ids_under_way_ = 0; // in that batch
    bool single_ = false;           // it is one record by its id
    bool nobody_ = false;           // the API says that there is no such record
    bool confirm_ = false;          // the list has the last word on the id asked for last
    bool address_is_right_ = false; // the API has answered with a page or a record
    bool no_singles_ = false;       // the API refused one
    std::int64_t price_ = 0;
    std::string cursor_;
    WalkPart part_;
    int pages_asked_ = 0;
    std::optional<Micros> answered_at_;
    std::optional<std::int64_t> highest_id_;
    NewestFirst ids_order_; // of the list, where ids should descend
    NewestFirst order_;     // of a walk that may stop early; once broken, all lists are read whole
    bool older_ = false;    // this list has shown a row before plan_.stop_before
    bool more_ = false;     // there is a request to make after the one decoded last

    std::string body_; // received, not yet decoded for good
    bool have_body_ = false;
    Page page_;
    std::vector<std::uint32_t> fresh_; // rows of the page that were not returned before
    std::size_t next_row_ = 0;
    std::int64_t handed_out_ = 0; // rows since start()
    int page_number_ = 0;
    IdSet seen_;
    std::unordered_set<std::size_t>
        cursors_; // hashes of those followed, so that a server cannot send us in circles
    std::int64_t rows_fetched_ = 0;
    std::optional<PageDecoder> decoder_; // of body_ to page_, while that is going on
};

} // namespace pipedrive
