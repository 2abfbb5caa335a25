#include "core/scan/walk.h"

#include <algorithm>
#include <utility>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/url.h"
#include "core/wire/reader.h"

namespace pipedrive {

Walk::Walk(const Account& account, const Entity& entity, Transport& transport, Clock& clock,
           Traffic& traffic, Trust& trust)
    : account_(account),
      entity_(entity),
      trust_(trust),
      fetch_(transport, clock, account.retries, traffic, account.gate()) {}

void Walk::begin(const RequestPlan& plan, std::size_t stream, KeyList ids, const WalkPart& part) {
    drop();
    plan_ = &plan;
    stream_ = &plan.streams[stream];
    part_ = part;
    ids_ = std::move(ids);
    ids_asked_ = ids_under_way_ = 0;
    by_page_ = single_ = nobody_ = confirm_ = false;
    cursor_.clear();
    cursors_.clear();
    offset_ = OffsetWalk();
    last_keys_.clear();
    more_ = !plan.by_ids || !ids_.empty();
    ids_order_ = {};
    order_ = {};
    if (trust_.order_broken) order_.distrust();
    older_ = false;
}

void Walk::drop() noexcept {
    fetch_.drop();
    have_body_ = nobody_ = false;
    decoder_.reset();
}

void Walk::malformed(const char* detail) const {
    throw Error(ErrorKind::Malformed, std::string(entity_.name), detail);
}

// --- positions: the cursor, or "299.1:key,key": where the next page begins, how far back to go
// when it does not join, and the keys of the last rows

void Walk::resume(std::string_view position, KeySet* seen) {
    more_ = true;
    if (stream_->endpoint->paging != Paging::Offset) {
        cursor_ = position;
        return;
    }
    const std::size_t colon = position.find(':');
    const std::string_view place = position.substr(0, colon);
    const std::size_t dot = std::min(place.find('.'), place.size());
    const auto start = decimal_to_int64(place.substr(0, dot));
    const auto back = decimal_to_int64(place.substr(std::min(dot + 1, place.size())));
    if (colon == std::string_view::npos || !start || *start < 0 || !back || *back < 1)
        throw Error(ErrorKind::Internal, "position of a walk that this list does not have");
    offset_ = OffsetWalk(*start, *back);
    for (std::string_view rest = position.substr(colon + 1); !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        last_keys_.push_back(percent_decode(rest.substr(0, comma)));
        if (const auto key = parse_key(entity_.key_kind, last_keys_.back())) seen->insert(*key);
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
}

std::string Walk::position() const {
    if (stream_->endpoint->paging != Paging::Offset) return cursor_;
    std::string out =
        std::to_string(offset_.start()) + "." + std::to_string(offset_.step_back()) + ":";
    for (std::size_t i = 0; i < last_keys_.size(); ++i)
        out += (i == 0 ? "" : ",") + percent_encode(last_keys_[i]);
    return out;
}

// Should some of them have vanished until then, the others tell where the walk was.
void Walk::remember_last_keys() {
    constexpr std::size_t kKept = 8;
    for (std::size_t i = page_.rows() - std::min(page_.rows(), kKept); i < page_.rows(); ++i)
        last_keys_.push_back(page_.key(i).spelled());
    if (last_keys_.size() > kKept)
        last_keys_.erase(last_keys_.begin(), last_keys_.end() - static_cast<long>(kKept));
}

// --- requests

// Which keys the next request asks for, and how.
void Walk::next_keys() {
    const Endpoint& endpoint = *stream_->endpoint;
    const std::size_t left = ids_.size() - ids_asked_;
    const bool singles = !confirm_ && !part_.lists_only && !trust_.singles_refused;
    const std::size_t batch = std::min(left, static_cast<std::size_t>(endpoint.batch));
    const std::size_t n = singles    ? ids_in_next_request(endpoint, left)
                          : confirm_ ? std::min<std::size_t>(batch, 1)
                                     : batch;
    single_ = n == 1 && singles && endpoint.single.tokens > 0;
    by_page_ = n == 0;
    ids_under_way_ = by_page_ ? left : n;
}

void Walk::request() {
    const bool goes_on = by_page_ && (!cursor_.empty() || offset_.start() > 0);
    if (plan_->by_ids && !goes_on) next_keys();
    const KeyList ids = by_page_ ? KeyList() : ids_.part(ids_asked_, ids_under_way_);
    const int tokens = single_ ? stream_->endpoint->single.tokens : stream_->endpoint->tokens;
    price_ += tokens;
    fetch_.start(account_request(account_, single_ ? single_target(*stream_, ids[0].spelled())
                                                   : request_target(*plan_, *stream_, ids,
                                                                    {cursor_, offset_.start()})),
                 std::string(entity_.name), tokens);
}

bool Walk::receive(WaitFor* wait) {
    if (have_body_ || nobody_) return true;
    try {
        if (fetch_.step(wait) == Progress::Wait) return false;
    } catch (const Error& error) {
        if (not_by_id(error)) return true;
        fetch_.drop();
        throw;
    }
    HttpResponse answer = fetch_.take();
    date_ = answer.date;
    body_ = std::move(answer.body);
    have_body_ = true;
    return true;
}

// An error of a record by its key that may mean that the list does not have it: "not found" is
// believed where the address is known to be right; the list decides about the rest.
bool Walk::not_by_id(const Error& error) {
    if (!single_) return false;
    if (error.kind == ErrorKind::BadRequest)
        trust_.singles_refused = true;
    else if (error.kind != ErrorKind::NotFound && error.kind != ErrorKind::Forbidden)
        return false;
    confirm_ = error.kind != ErrorKind::NotFound || !trust_.address_is_right;
    nobody_ = true;
    fetch_.drop();
    return true;
}

bool Walk::decode(PageRequest request) {
    const Endpoint& endpoint = *stream_->endpoint;
    if (!decoder_) {
        request.entity = entity_.name;
        request.key = entity_.key;
        request.key_kind = entity_.key_kind;
        request.deleted = entity_.deleted;
        request.shape = endpoint.shape;
        request.archived = endpoint.archived;
        request.single = single_;
        request.all_lists = plan_->streams.size() == entity_.endpoints.size();
        request.paging = single_ ? Paging::Cursor : endpoint.paging; // a record, and no more
        bad_rows_.clear();
        if (part_.set_aside) request.set_aside = &bad_rows_;
        decoder_.emplace(body_, request, &page_);
    }
    try {
        if (!decoder_->read(kDecodeSlice)) return false;
    } catch (const Error&) {
        decoder_.reset();
        throw;
    }
    decoder_.reset();
    return true;
}

// --- after a page

bool Walk::settle_single(KeySet* seen) {
    if (!single_) return false;
    if (!std::exchange(nobody_, false)) {
        const RowKey asked = ids_[ids_asked_];
        if (page_.rows() > 0 && page_.key(0) == asked) return false;
        confirm_ = page_.rows() > 0;
        if (!confirm_) seen->insert(asked); // it is in no list that is read
        trust_.address_is_right = true;
    }
    have_body_ = false;
    single_ = false;
    if (!confirm_) move_on();
    return true;
}

bool Walk::joins(const KeySet& seen) {
    if (stream_->endpoint->paging != Paging::Offset || single_) return true;
    std::int64_t known = 0;
    for (std::size_t i = 0; i < page_.rows(); ++i)
        known += seen.contains(page_.key(i));
    for (const BadRow& row : bad_rows_) // they stand in the list too
        if (const auto key = parse_key(entity_.key_kind, row.key)) known += seen.contains(*key);
    const auto rows = static_cast<std::int64_t>(page_.rows() + bad_rows_.size());
    // Where the end is not told, the list is read until nothing new comes.
    const ListEnd::Says says = page_.end().says;
    const bool more =
        says == ListEnd::Says::More || (says == ListEnd::Says::Nothing && rows > known);
    const OffsetWalk::Verdict verdict = offset_.see(rows, rows - known, known > 0, more);
    if (verdict == OffsetWalk::Verdict::Stuck)
        malformed("The pages of the list do not join: the API does not number its rows.");
    if (verdict == OffsetWalk::Verdict::Take) return true;
    have_body_ = false;
    return false;
}

void Walk::accept(const KeySet& seen, std::span<const BoundColumn> columns) {
    trust_.address_is_right = true;
    have_body_ = false;
    const bool ended = page_ends_it(columns) || (by_page_ && all_found(seen));
    trust_.order_broken = trust_.order_broken || order_.broken();
    if (ended || single_) return move_on();
    switch (stream_->endpoint->paging) {
        case Paging::Cursor:
            return page_.end().cursor.empty() ? move_on() : follow_cursor(page_.end().cursor);
        case Paging::Offset:
            remember_last_keys();
            return offset_.done() ? move_on() : void();
        case Paging::None:
            return move_on();
    }
}

bool Walk::all_found(const KeySet& seen) const {
    for (std::size_t i = ids_asked_; i < ids_.size(); ++i)
        if (!seen.contains(ids_[i])) return false;
    return true;
}

void Walk::follow_cursor(const std::string& cursor) {
    if (!cursors_.insert(std::hash<std::string>{}(cursor)).second)
        malformed("The API sent the same cursor twice.");
    cursor_ = cursor;
}

// The keys that were asked for are answered: on to others.
void Walk::move_on() {
    cursors_.clear();
    cursor_.clear();
    offset_ = OffsetWalk();
    ids_asked_ += ids_under_way_;
    ids_under_way_ = 0;
    by_page_ = confirm_ = false;
    more_ = plan_->by_ids && ids_asked_ < ids_.size();
}

// Newest first: some row is older than anything wanted, so all rows after it are. That the rows
// come in the order that was asked for is seen, not believed: where it does not hold, the walk goes
// on to the end.
bool Walk::page_ends_it(std::span<const BoundColumn> columns) {
    if (part_.above_id) return known_ids_reached();
    if (stream_->stop_column.empty()) return false;
    for (std::size_t c = 0; c < columns.size(); ++c) {
        if (columns[c].field != stream_->stop_column || columns[c].source != Source::Field)
            continue;
        for (std::size_t i = 0; i < page_.rows(); ++i) {
            const Cell& cell = page_.row(i)[c];
            if (cell.type != CellType::Timestamp) continue;
            order_.see(cell.integer);
            older_ = older_ || cell.integer < stream_->stop_before;
        }
        return older_ && order_.proved();
    }
    return false;
}

// Whether all rows after this page are known. Trusted only while the ids do descend: a server that
// sorts otherwise is read to the end.
bool Walk::known_ids_reached() {
    if (entity_.key_kind != KeyKind::Integer) return false;
    for (std::size_t i = 0; i < page_.rows(); ++i)
        ids_order_.see(page_.key(i).integer());
    return ids_order_.proved() && ids_order_.last() <= *part_.above_id;
}

} // namespace pipedrive
