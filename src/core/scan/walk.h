// One list read in one order: where it stands, the request under way, the page that came last.
//
// A list is walked from page to page; or, when keys are asked for, one record or one batch after
// the other, and page by page where it takes no keys. Knows no field definitions and hands no row
// out: that is the scan's, which owns walks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/plan/requests.h"
#include "core/scan/account.h"
#include "core/scan/key_set.h"
#include "core/scan/newest_first.h"
#include "core/scan/offset_walk.h"
#include "core/wire/page.h"

namespace pipedrive {

// A part of a scan: from a position that an earlier part ended at, over at most so many pages. The
// position names the list and where in it; it is good only for the same columns and values.
struct WalkPart {
    std::string position;    // empty: from the start
    int max_pages = 0;       // 0: all
    bool set_aside = false;  // rows with a value that does not fit are left out and told of
    bool lists_only = false; // ids are asked for in batches, never one by one
    // Newest rows first, and no further than the first row whose id is not above it.
    std::optional<std::int64_t> above_id = std::nullopt;
};

// What one list has shown of the server, and the next one has to know.
struct Trust {
    bool address_is_right = false; // it has answered with a page or a record
    bool singles_refused = false;
    bool order_broken = false; // a list did not come in the order that was asked for
};

class Walk {
  public:
    // All of them outlive the walk.
    Walk(const Account& account, const Entity& entity, Transport& transport, Clock& clock,
         Traffic& traffic, Trust& trust);

    // Begins list `stream` of the plan, which outlives the walk's use of it; `ids`: those to ask
    // for, when the plan is by ids. Sends nothing yet.
    void begin(const RequestPlan& plan, std::size_t stream, KeyList ids, const WalkPart& part);
    // Gives up what is under way.
    void drop() noexcept;

    // Goes on where position() was told; keys of the rows before it go to `seen`. Throws
    // Error{Internal} for a position that this list does not have.
    void resume(std::string_view position, KeySet* seen);
    // Good once the last page has been accepted.
    std::string position() const;

    // Whether there is a request to make after the page that came last.
    bool more() const noexcept { return more_; }
    void request();
    // Price in tokens of the next page.
    int next_price() const noexcept { return stream_->endpoint->tokens; }
    bool idle() const noexcept { return fetch_.idle() && !have_body_; }

    // Until there is something to decode. False: wait. Throws Error, except where a record by its
    // key is answered with "there is none": then nobody().
    bool receive(WaitFor* wait);
    bool has_body() const noexcept { return have_body_; }
    bool nobody() const noexcept { return nobody_; }

    // A slice of the page. False: it is not whole yet. `request`: columns and definitions; the rest
    // is filled in here. Throws Error; the body is kept, so that it can be decoded once more.
    bool decode(PageRequest request);
    Page& page() noexcept { return page_; }
    const Page& page() const noexcept { return page_; }
    std::vector<BadRow>& bad_rows() noexcept { return bad_rows_; }

    // Whether the answer for a single record was none of it. Then the walk has moved on.
    bool settle_single(KeySet* seen);
    // Whether the page joins what was read before it: else rows may lie between, and the walk has
    // moved on to read them first. Throws Error{Malformed} when pages do not join for ever.
    bool joins(const KeySet& seen);
    // The page is taken: on to the next one, to more keys, or to the end. `seen` has its keys.
    void accept(const KeySet& seen, std::span<const BoundColumn> columns);

    // The server's clock in the answer that came last.
    std::optional<Micros> date() const noexcept { return date_; }
    std::int64_t price() const noexcept { return price_; }

  private:
    bool not_by_id(const Error& error);
    void move_on();
    bool all_found(const KeySet& seen) const;
    void next_keys();
    bool page_ends_it(std::span<const BoundColumn> columns);
    bool known_ids_reached();
    void remember_last_keys();
    void follow_cursor(const std::string& cursor);
    [[noreturn]] void malformed(const char* detail) const;

    const Account& account_;
    const Entity& entity_;
    Trust& trust_;
    Fetch fetch_;
    const RequestPlan* plan_ = nullptr;
    const Stream* stream_ = nullptr;
    WalkPart part_;

    KeyList ids_;                   // still to ask for in this list
    std::size_t ids_asked_ = 0;     // of them, before the request under way
    std::size_t ids_under_way_ = 0; // in it
    bool by_page_ = false;          // they are looked for in all of the list
    bool single_ = false;           // one record by its key
    bool nobody_ = false;           // the API says that there is no such record
    bool confirm_ = false;          // the list has the last word on the key asked for last

    std::string cursor_;
    // Hashes of those followed, so that a server cannot send us in circles.
    std::unordered_set<std::size_t> cursors_;
    OffsetWalk offset_;
    std::vector<std::string> last_keys_; // of the last page: a later part joins them
    bool more_ = false;
    NewestFirst ids_order_; // where ids should descend
    NewestFirst order_;     // of a walk that may stop early
    bool older_ = false;    // a row before the stream's stop_before was seen

    std::string body_; // received, not yet decoded for good
    bool have_body_ = false;
    std::optional<Micros> date_;
    Page page_;
    std::vector<BadRow> bad_rows_;       // of the page
    std::optional<PageDecoder> decoder_; // of body_ to page_, while that is going on
    std::int64_t price_ = 0;             // of all that was asked for
};

} // namespace pipedrive
