#include "core/scan/scan.h"

#include <algorithm>
#include <utility>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/wire/reader.h"

namespace pipedrive {

Scan::Scan(const Account& account, ScanSpec spec, Transport& transport, Clock& clock,
           CatalogueSlot& definitions)
    : account_(account),
      spec_(std::move(spec)),
      transport_(transport),
      clock_(clock),
      definitions_(definitions),
      fetch_(transport, clock, account.retries, traffic_, account.budget.get()) {}

void Scan::start(std::vector<Value> values, WalkPart part) {
    part_ = std::move(part);
    pages_asked_ = 0;
    answered_at_.reset();
    highest_id_.reset();
    bad_rows_.clear();
    fetch_.drop();
    reader_.reset();
    values_ = std::move(values);
    phase_ = Phase::Preparing;
    if (!verified_)
        catalogue_ =
            definitions_.catalogue; // what this scan has read itself is good for its rescans
    stream_ = 0;
    cursor_.clear();
    more_ = false;
    single_ = nobody_ = confirm_ = false;
    have_body_ = false;
    refusal_ = nullptr;
    in_doubt_ = false;
    decoder_.reset();
    order_ = {};
    fresh_.clear();
    next_row_ = 0;
    handed_out_ = 0;
    page_number_ = 0;
    seen_.clear();
    cursors_.clear();
}

void Scan::stop() noexcept {
    fetch_.drop();
    reader_.reset();
    phase_ = Phase::Finished;
}

Scan::Step Scan::step(WaitFor* wait) {
    while (true) {
        switch (phase_) {
            case Phase::Idle:
                throw Error(ErrorKind::Internal, "scan", "stepped before it was started");
            case Phase::Finished:
                return Step::Done;
            case Phase::Preparing:
                if (!prepare(wait)) return Step::Wait;
                break;
            case Phase::Reading:
                if (next_row_ < fresh_.size()) {
                    leave_page();
                    ++next_row_;
                    ++handed_out_;
                    return Step::Row;
                }
                if (!have_body_ && fetch_.idle() && !request_next()) {
                    phase_ = Phase::Finished;
                    return Step::Done;
                }
                if (!receive(wait)) return Step::Wait;
                break;
        }
    }
}

// While rows are handed out: asks for the next page in time, and lets bytes in that have arrived.
void Scan::leave_page() {
    if (next_row_ >= (fresh_.size() + 3) / 4 && fetch_.idle() && !have_body_ && !page_will_do() &&
        affordable())
        request_next();
    if (next_row_ % 64 == 63 && !fetch_.idle()) transport_.pump();
}

// Whether the rest of this page has all the rows that are likely to be asked for. A reader that has
// had more than the hint (a sort, a local condition) wants them all.
bool Scan::page_will_do() const {
    const std::int64_t wanted = spec_.limit_hint - handed_out_;
    return wanted > 0 && wanted <= static_cast<std::int64_t>(fresh_.size() - next_row_);
}

// Whether the budget allows the next page: one that may not be needed is no reason to fail.
bool Scan::affordable() const noexcept {
    return account_.budget == nullptr || stream_ >= plan_.streams.size() ||
           account_.budget->allows(plan_.streams[stream_].endpoint->tokens);
}

// Everything before the first page: columns that only the definitions can explain. False: wait.
bool Scan::prepare(WaitFor* wait) {
    bool unresolved = false, unknown = false;
    for (const BoundColumn& column : spec_.columns) {
        unresolved = unresolved || !column.resolved;
        unknown = unknown || (!column.resolved &&
                              (catalogue_ == nullptr || catalogue_->find(column.field) == nullptr));
    }
    // A field that older definitions lack may be new.
    if (unknown && !verified_ && !read_definitions(wait)) return false;
    for (BoundColumn& column : spec_.columns)
        if (unresolved) resolve_column(*spec_.entity, *catalogue_, &column);
    plan();
    phase_ = Phase::Reading;
    return true;
}

void Scan::plan() {
    plan_ = plan_requests(*spec_.entity, spec_.predicates, values_, projection_of(spec_.columns),
                          spec_.page_size);
    if (part_.above_id)
        for (Stream& stream : plan_.streams) {
            stream.parameters.push_back({"sort_by", "id"});
            stream.parameters.push_back({"sort_direction", "desc"});
        }
    stream_ = 0;
    more_ = !plan_.streams.empty();
    enter_stream();
    if (!part_.position.empty()) resume();
}

// "2:cursor": the third list, from that cursor. "2!:cursor": of lists that do not come in the order
// that was asked for.
void Scan::resume() {
    const std::size_t colon = part_.position.find(':');
    std::string_view list = std::string_view(part_.position).substr(0, colon);
    if (list.ends_with('!')) {
        order_.distrust();
        list.remove_suffix(1);
    }
    const auto stream = decimal_to_int64(list);
    if (colon == std::string::npos || !stream || *stream < 0 ||
        static_cast<std::size_t>(*stream) >= plan_.streams.size())
        throw Error(ErrorKind::Internal, "position of a walk that this scan does not have");
    stream_ = static_cast<std::size_t>(*stream);
    more_ = true;
    enter_stream();
    cursor_ = part_.position.substr(colon + 1);
}

std::optional<std::string> Scan::next_position() const {
    if (!more_) return std::nullopt;
    return std::to_string(stream_) + (order_.broken() ? "!:" : ":") + cursor_;
}

// The ids that earlier lists have not answered; a list with nothing left to ask is passed over.
void Scan::enter_stream() {
    cursor_.clear();
    order_.begin_list();
    older_ = false;
    ids_asked_ = 0;
    ids_.clear();
    ids_order_ = {};
    if (!plan_.by_ids || !more_) return;
    for (std::int64_t id : plan_.ids)
        if (!seen_.contains(id)) ids_.push_back(id);
    if (ids_.empty()) more_ = false;
}

// Sends the next request of the walk. False: there is none.
bool Scan::request_next() {
    if (!more_ || (part_.max_pages > 0 && pages_asked_ >= part_.max_pages)) return false;
    ++pages_asked_;
    const Stream& stream = plan_.streams[stream_];
    std::span<const std::int64_t> ids(ids_);
    single_ = false;
    if (plan_.by_ids) {
        ids = ids.subspan(ids_asked_);
        ids_under_way_ = confirm_ ? 1
                         : part_.lists_only || no_singles_
                             ? std::min<std::size_t>(ids.size(), kIdsPerRequest)
                             : ids_in_next_request(stream, ids.size());
        single_ = ids_under_way_ == 1 && !confirm_ && !part_.lists_only && !no_singles_ &&
                  stream.endpoint->single_tokens > 0;
        if (single_) return request_single(stream, ids.front()), true;
        ids = ids.first(ids_under_way_);
    }
    price_ += stream.endpoint->tokens;
    fetch_.start(account_request(account_, request_target(plan_, stream, ids, cursor_)),
                 std::string(spec_.entity->name), stream.endpoint->tokens);
    return true;
}

void Scan::request_single(const Stream& stream, std::int64_t id) {
    price_ += stream.endpoint->single_tokens;
    fetch_.start(account_request(account_, single_target(stream, id)),
                 std::string(spec_.entity->name), stream.endpoint->single_tokens);
}

// An error of a record by its id that may mean that the list does not have it: "not found" is
// believed where the address is known to be right; the list decides about the rest.
bool Scan::not_by_id(const Error& error) {
    if (!single_) return false;
    if (error.kind == ErrorKind::BadRequest)
        no_singles_ = true;
    else if (error.kind != ErrorKind::NotFound && error.kind != ErrorKind::Forbidden)
        return false;
    confirm_ = error.kind != ErrorKind::NotFound || !address_is_right_;
    nobody_ = true;
    fetch_.drop();
    return true;
}

// After the answer for a single record. True: it was none, or another one's.
bool Scan::settle_single() {
    if (!single_) return false;
    if (!std::exchange(nobody_, false)) {
        if (page_.rows() > 0 && page_.id(0) == ids_[ids_asked_]) return false;
        confirm_ = page_.rows() > 0;
        if (!confirm_) seen_.insert(ids_[ids_asked_]); // it is in no list that is read
        address_is_right_ = true;
    }
    fresh_.clear();
    next_row_ = 0;
    have_body_ = false;
    if (!confirm_) accept({});
    return true;
}

// The body of the page under way. False: wait. A refused request that names custom fields is held
// back until the definitions have told whether one of them is gone.
bool Scan::fetch_body(WaitFor* wait) {
    if (have_body_ || refusal_ || nobody_) return true;
    try {
        if (fetch_.step(wait) == Progress::Wait) return false;
    } catch (const Error& error) {
        if (not_by_id(error)) return true;
        const bool custom =
            std::any_of(spec_.columns.begin(), spec_.columns.end(),
                        [](const BoundColumn& c) { return c.source == Source::Custom; });
        if (error.kind != ErrorKind::BadRequest || !custom || verified_) throw;
        refusal_ = std::current_exception();
        fetch_.drop();
        return true;
    }
    HttpResponse answer = fetch_.take();
    if (!answered_at_) answered_at_ = answer.date;
    body_ = std::move(answer.body);
    have_body_ = true;
    ++page_number_;
    return true;
}

// Rows with a value that does not fit are set aside where the part says so.
void Scan::begin_decoding() {
    const Stream& stream = plan_.streams[stream_];
    PageRequest request;
    request.entity = spec_.entity->name;
    request.columns = spec_.columns;
    request.catalogue = catalogue_.get();
    request.missing_options = &definitions_.missing;
    request.archived = stream.endpoint->archived;
    request.single = single_;
    request.all_lists = plan_.streams.size() == spec_.entity->endpoints.size();
    request.paged = stream.endpoint->paging == Paging::Cursor;
    page_bad_rows_.clear();
    if (part_.set_aside) request.set_aside = &page_bad_rows_;
    fresh_.clear();
    next_row_ = 0;
    decoder_.emplace(body_, request, &page_);
}

bool Scan::is_custom(std::string_view column) const {
    return std::any_of(spec_.columns.begin(), spec_.columns.end(), [&](const BoundColumn& c) {
        return c.source == Source::Custom && c.name == column;
    });
}

// The page under way, or a slice of it. False: wait. A value that does not fit its custom column
// may mean that the field was replaced: then refusal_ or in_doubt_ asks for the definitions first.
bool Scan::decode(WaitFor* wait) {
    try {
        if (!decoder_) begin_decoding();
        if (!decoder_->read(kDecodeSlice)) {
            wait->timeout_ms = 0;
            return false;
        }
        decoder_.reset();
    } catch (Error& error) {
        decoder_.reset();
        error.page = page_number_;
        if (error.kind != ErrorKind::BadValue || !is_custom(error.column) || verified_) throw;
        refusal_ = std::current_exception();
    }
    in_doubt_ = !verified_ && std::any_of(page_bad_rows_.begin(), page_bad_rows_.end(),
                                          [&](const BadRow& b) { return is_custom(b.column); });
    return true;
}

// Receives and decodes the next page. False: wait.
bool Scan::receive(WaitFor* wait) {
    if (!fetch_body(wait)) return false;
    if (nobody_ && settle_single()) return true;
    if ((reader_ || refusal_ || in_doubt_) && !read_definitions(wait)) return false;
    in_doubt_ = false;
    if (refusal_) std::rethrow_exception(std::exchange(refusal_, nullptr));
    if (!decode(wait)) return false;
    if (refusal_ || in_doubt_) return receive(wait);
    if (needs_definitions()) return read_definitions(wait) && receive(wait);
    if (settle_single()) return true;
    address_is_right_ = true;
    have_body_ = false;
    settle_options();
    remember_doubts();
    collect_fresh();
    accept(stop_reached() ? std::string() : page_.next_cursor());
    return true;
}

// Whether a list of this scan cannot send labels, so that stale ones would be shown beside fresh
// ones.
bool Scan::labels_come_late() const {
    return std::any_of(plan_.streams.begin(), plan_.streams.end(),
                       [](const Stream& s) { return !s.endpoint->option_labels; });
}

// Something only the definitions can explain: option ids without labels, labels that changed,
// values or keys that do not look like their field.
bool Scan::needs_definitions() const {
    if (verified_ || !has_custom_fields(*spec_.entity)) return false;
    const LabelSource& noticed = page_.noticed();
    return noticed.unresolved > 0 || (noticed.stale > 0 && labels_come_late()) ||
           !doubts_are_explained();
}

// A key that other rows of the same answer have belongs to a field that is there.
bool Scan::doubts_are_explained() const {
    const std::int64_t now = clock_.now_ms();
    const std::span<const Doubt> doubts = page_.doubts();
    return std::all_of(doubts.begin(), doubts.end(), [&](const Doubt& d) {
        return (d.absent && page_.has_key(d.column)) ||
               definitions_.explained.contains(spec_.columns[d.column].field, d, now);
    });
}

// This page was read in full knowledge: what it lacks needs no definitions the next time.
void Scan::remember_doubts() {
    const std::int64_t now = clock_.now_ms();
    for (const Doubt& d : page_.doubts())
        definitions_.explained.insert(spec_.columns[d.column].field, d, now);
}

// Remembers what the definitions could not explain either.
void Scan::settle_options() {
    for (const UnknownOption& option : page_.noticed().unknown) {
        if (verified_) definitions_.missing.insert(option);
        if (definitions_.noticed.insert(option).second) notices_.push_back(option);
    }
}

// False: wait. Afterwards catalogue_ is set, and every custom column still has its field (else
// Error{FieldGone}).
bool Scan::read_definitions(WaitFor* wait) {
    if (!reader_) reader_.emplace(account_, *spec_.entity, transport_, clock_, traffic_);
    if (reader_->step(wait) == Progress::Wait) return false;
    catalogue_ = definitions_.catalogue = reader_->take();
    reader_.reset();
    verified_ = true;
    definitions_.missing.clear();
    definitions_.read_at = unix_micros();
    for (const BoundColumn& column : spec_.columns)
        check_against(*spec_.entity, *catalogue_, column);
    return true;
}

void Scan::collect_fresh() {
    bad_rows_.insert(bad_rows_.end(), page_bad_rows_.begin(), page_bad_rows_.end());
    rows_fetched_ += static_cast<std::int64_t>(page_.rows());
    for (std::uint32_t i = 0; i < page_.rows(); ++i) {
        if (seen_.insert(page_.id(i))) fresh_.push_back(i);
        if (stream_ == 0) highest_id_ = std::max(highest_id_.value_or(0), page_.id(i));
    }
}

// Newest first: some row is older than anything wanted, so all rows after it are. That the rows
// come in the order that was asked for is seen, not believed: where it does not hold, the walk goes
// on to the end.
bool Scan::stop_reached() {
    if (part_.above_id) return known_ids_reached();
    if (plan_.stop_column.empty()) return false;
    for (std::size_t c = 0; c < spec_.columns.size(); ++c) {
        if (spec_.columns[c].field != plan_.stop_column || spec_.columns[c].source != Source::Field)
            continue;
        for (std::size_t i = 0; i < page_.rows(); ++i) {
            const Cell& cell = page_.row(i)[c];
            if (cell.type != CellType::Timestamp) continue;
            order_.see(cell.integer);
            older_ = older_ || cell.integer < plan_.stop_before;
        }
        return older_ && order_.proved();
    }
    return false;
}

// Whether all rows after this page are known. Trusted only while the ids do descend: a server that
// sorts otherwise is read to the end.
bool Scan::known_ids_reached() {
    for (std::size_t i = 0; i < page_.rows(); ++i)
        ids_order_.see(page_.id(i));
    return ids_order_.proved() && ids_order_.last() <= *part_.above_id;
}

// Moves the walk on: next page, next batch of ids, next list.
void Scan::accept(std::string cursor) {
    if (!cursor.empty() && plan_.streams[stream_].endpoint->paging == Paging::Cursor) {
        if (!cursors_.insert(std::hash<std::string>{}(cursor)).second) {
            Error error(ErrorKind::Malformed, std::string(spec_.entity->name),
                        "The API sent the same cursor twice.");
            error.page = page_number_;
            throw error;
        }
        cursor_ = std::move(cursor);
        return;
    }
    cursors_.clear();
    cursor_.clear();
    ids_asked_ += ids_under_way_;
    confirm_ = false;
    if (plan_.by_ids && ids_asked_ < ids_.size()) return;
    while (++stream_ < plan_.streams.size()) {
        more_ = true;
        enter_stream();
        if (more_) return;
    }
    more_ = false;
}

} // namespace pipedrive
