// One scan of an entity: lists walked page by page, rows handed out one at a time, nothing ever
// waited for.
//
// The caller calls step() until Done; on Wait it waits for what WaitFor says (or less) and calls
// again. A long page is decoded in slices, with a Wait of no time after each, so that the caller
// can look at interrupts. The next page travels while the rows of this one are handed out, but is
// asked for only when a quarter of them is gone, and not while this page has all that a LIMIT asks
// for: what one page can satisfy costs one request. No key is returned twice. Knows no PostgreSQL.
//
// A scan owns walks (walk.h): what is said of one list, its pages and requests, is there. Here is
// what they share: the plan, the keys that were returned, the field definitions.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.h"
#include "core/catalog/binding.h"
#include "core/plan/predicate.h"
#include "core/plan/requests.h"
#include "core/scan/account.h"
#include "core/scan/definitions_reader.h"
#include "core/scan/key_set.h"
#include "core/scan/walk.h"

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
    std::span<const Cell> row() const noexcept { return walk_.page().row(fresh_[next_row_ - 1]); }
    const RowKey& row_key() const noexcept { return walk_.page().key(fresh_[next_row_ - 1]); }
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
        bad_rows_.push_back({row_key().spelled(), std::string(column), std::string(reason)});
    }
    // The server's clock at the first answer of this part; nullopt: it did not say.
    std::optional<Micros> answered_at() const noexcept { return answered_at_; }
    // Of the rows in the entity's first list that this part has seen, where keys are integers: they
    // grow with time.
    std::optional<std::int64_t> highest_id() const noexcept { return highest_id_; }
    bool has_notices() const noexcept { return !notices_.empty(); }
    const ScanSpec& spec() const noexcept { return spec_; }
    // Documented price of all pages and records asked for, without field definitions and retries.
    std::int64_t price() const noexcept { return walk_.price(); }

  private:
    enum class Phase : std::uint8_t { Idle, Preparing, Reading, Finished };

    bool prepare(WaitFor* wait);
    void plan();
    void enter_stream(std::size_t stream);
    void resume();
    bool request_next();
    bool receive(WaitFor* wait);
    bool receive_body(WaitFor* wait);
    bool decode(WaitFor* wait);
    void collect_fresh();
    void accept();
    void leave_page();
    bool page_will_do() const;
    bool affordable() const noexcept;
    bool is_custom(std::string_view column) const;
    bool needs_definitions() const;
    bool doubts_are_explained() const;
    void remember_doubts();
    bool labels_come_late() const;
    void settle_options();
    bool read_definitions(WaitFor* wait);

    const Account& account_;
    ScanSpec spec_;
    Transport& transport_;
    Clock& clock_;
    CatalogueSlot& definitions_;
    Traffic traffic_;
    std::optional<DefinitionsReader> reader_;
    std::shared_ptr<const FieldCatalogue> catalogue_; // used for this scan's labels
    // An error that may mean that a custom field is gone or was replaced.
    std::exception_ptr refusal_;
    bool in_doubt_ = false; // rows set aside may mean the same
    bool verified_ = false; // the definitions were read during this scan or one of its rescans
    std::vector<UnknownOption> notices_;

    std::vector<Value> values_;
    RequestPlan plan_;
    Phase phase_ = Phase::Idle;
    WalkPart part_;

    Trust trust_;
    Walk walk_;
    std::size_t stream_ = 0; // of the walk
    int pages_asked_ = 0;
    int page_number_ = 0;
    std::vector<BadRow> bad_rows_; // of the part
    std::optional<Micros> answered_at_;
    std::optional<std::int64_t> highest_id_;
    KeySet seen_;
    std::int64_t rows_fetched_ = 0;

    std::vector<std::uint32_t> fresh_; // rows of the page that were not returned before
    std::size_t next_row_ = 0;
    std::int64_t handed_out_ = 0; // rows since start()
};

} // namespace pipedrive
