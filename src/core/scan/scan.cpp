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
      walk_(account, *spec_.entity, transport, clock, traffic_, trust_) {}

void Scan::start(std::vector<Value> values, WalkPart part) {
    part_ = std::move(part);
    pages_asked_ = page_number_ = 0;
    answered_at_.reset();
    highest_id_.reset();
    bad_rows_.clear();
    walk_.drop();
    reader_.reset();
    values_ = std::move(values);
    phase_ = Phase::Preparing;
    if (!verified_)
        catalogue_ =
            definitions_.catalogue; // what this scan has read itself is good for its rescans
    refusal_ = nullptr;
    in_doubt_ = false;
    trust_.order_broken = false;
    fresh_.clear();
    next_row_ = 0;
    handed_out_ = 0;
    seen_.clear();
}

void Scan::stop() noexcept {
    walk_.drop();
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
                if (walk_.idle() && !refusal_ && !request_next()) {
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
    if (next_row_ >= (fresh_.size() + 3) / 4 && walk_.idle() && !page_will_do() && affordable())
        request_next();
    if (next_row_ % 64 == 63 && !walk_.idle()) transport_.pump();
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
           account_.budget->allows(walk_.next_price());
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
        for (Stream& stream : plan_.streams)
            order_newest_first(&stream, spec_.entity->key);
    stream_ = plan_.streams.size();
    if (part_.position.empty())
        enter_stream(0);
    else
        resume();
}

// "2:…": the third list, from a position of its walk. "2!:…": of lists that do not come in the
// order that was asked for.
void Scan::resume() {
    const std::size_t colon = part_.position.find(':');
    std::string_view list = std::string_view(part_.position).substr(0, colon);
    if (list.ends_with('!')) {
        trust_.order_broken = true;
        list.remove_suffix(1);
    }
    const auto stream = decimal_to_int64(list);
    if (colon == std::string::npos || !stream || *stream < 0 ||
        static_cast<std::size_t>(*stream) >= plan_.streams.size())
        throw Error(ErrorKind::Internal, "position of a walk that this scan does not have");
    stream_ = static_cast<std::size_t>(*stream);
    walk_.begin(plan_, stream_, plan_.ids, part_);
    walk_.resume(std::string_view(part_.position).substr(colon + 1), &seen_);
}

std::optional<std::string> Scan::next_position() const {
    if (stream_ >= plan_.streams.size()) return std::nullopt;
    return std::to_string(stream_) + (trust_.order_broken ? "!:" : ":") + walk_.position();
}

// The first list from there on that has something to ask for: with ids, those that earlier lists
// have not answered.
void Scan::enter_stream(std::size_t stream) {
    for (stream_ = stream; stream_ < plan_.streams.size(); ++stream_) {
        KeyList ids = plan_.ids;
        ids.erase_if([&](const RowKey& key) { return seen_.contains(key); });
        walk_.begin(plan_, stream_, std::move(ids), part_);
        if (walk_.more()) return;
    }
}

// Sends the next request. False: there is none, or none for this part.
bool Scan::request_next() {
    if (stream_ >= plan_.streams.size() || (part_.max_pages > 0 && pages_asked_ >= part_.max_pages))
        return false;
    ++pages_asked_;
    walk_.request();
    return true;
}

// The body of the page under way. False: wait. A refused request that names custom fields is held
// back until the definitions have told whether one of them is gone.
bool Scan::receive_body(WaitFor* wait) {
    if (refusal_) return true;
    const bool waited = !walk_.has_body() && !walk_.nobody();
    try {
        if (!walk_.receive(wait)) return false;
    } catch (const Error& error) {
        const bool custom =
            std::any_of(spec_.columns.begin(), spec_.columns.end(),
                        [](const BoundColumn& c) { return c.source == Source::Custom; });
        if (error.kind != ErrorKind::BadRequest || !custom || verified_) throw;
        refusal_ = std::current_exception();
        return true;
    }
    if (!waited || walk_.nobody()) return true;
    if (!answered_at_) answered_at_ = walk_.date();
    ++page_number_;
    return true;
}

bool Scan::is_custom(std::string_view column) const {
    return std::any_of(spec_.columns.begin(), spec_.columns.end(), [&](const BoundColumn& c) {
        return c.source == Source::Custom && c.name == column;
    });
}

// The page under way, or a slice of it. False: wait. A value that does not fit its custom column
// may mean that the field was replaced: then refusal_ or in_doubt_ asks for the definitions first.
bool Scan::decode(WaitFor* wait) {
    PageRequest request;
    request.columns = spec_.columns;
    request.catalogue = catalogue_.get();
    request.missing_options = &definitions_.missing;
    try {
        if (!walk_.decode(request)) {
            wait->timeout_ms = 0;
            return false;
        }
    } catch (Error& error) {
        error.page = page_number_;
        if (error.kind != ErrorKind::BadValue || !is_custom(error.column) || verified_) throw;
        refusal_ = std::current_exception();
    }
    in_doubt_ = !verified_ && std::any_of(walk_.bad_rows().begin(), walk_.bad_rows().end(),
                                          [&](const BadRow& b) { return is_custom(b.column); });
    return true;
}

// Receives and decodes the next page. False: wait.
bool Scan::receive(WaitFor* wait) {
    fresh_.clear();
    next_row_ = 0;
    if (!receive_body(wait)) return false;
    if (walk_.nobody()) return accept(), true;
    if ((reader_ || refusal_ || in_doubt_) && !read_definitions(wait)) return false;
    in_doubt_ = false;
    if (refusal_) std::rethrow_exception(std::exchange(refusal_, nullptr));
    if (!decode(wait)) return false;
    if (refusal_ || in_doubt_) return receive(wait);
    if (needs_definitions()) return read_definitions(wait) && receive(wait);
    accept();
    return true;
}

// Takes what has come, and moves on. Rows to hand out are in fresh_ then, if any.
void Scan::accept() {
    try {
        if (!walk_.settle_single(&seen_)) {
            settle_options();
            remember_doubts();
            if (!walk_.joins(seen_)) return;
            collect_fresh();
            walk_.accept(seen_, spec_.columns);
        }
    } catch (Error& error) {
        error.page = page_number_;
        throw;
    }
    // The page stays while its rows are handed out.
    if (!walk_.more()) enter_stream(stream_ + 1);
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
    const LabelSource& noticed = walk_.page().noticed();
    return noticed.unresolved > 0 || (noticed.stale > 0 && labels_come_late()) ||
           !doubts_are_explained();
}

// A key that other rows of the same answer have belongs to a field that is there.
bool Scan::doubts_are_explained() const {
    const std::int64_t now = clock_.now_ms();
    const std::span<const Doubt> doubts = walk_.page().doubts();
    return std::all_of(doubts.begin(), doubts.end(), [&](const Doubt& d) {
        return (d.absent && walk_.page().has_key(d.column)) ||
               definitions_.explained.contains(spec_.columns[d.column].field, d, now);
    });
}

// This page was read in full knowledge: what it lacks needs no definitions the next time.
void Scan::remember_doubts() {
    const std::int64_t now = clock_.now_ms();
    for (const Doubt& d : walk_.page().doubts())
        definitions_.explained.insert(spec_.columns[d.column].field, d, now);
}

// Remembers what the definitions could not explain either.
void Scan::settle_options() {
    for (const UnknownOption& option : walk_.page().noticed().unknown) {
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
    const Page& page = walk_.page();
    for (const BadRow& row : walk_.bad_rows()) {
        if (const auto key = parse_key(spec_.entity->key_kind, row.key)) seen_.insert(*key);
        bad_rows_.push_back(row);
    }
    rows_fetched_ += static_cast<std::int64_t>(page.rows());
    for (std::uint32_t i = 0; i < page.rows(); ++i) {
        const RowKey& key = page.key(i);
        if (seen_.insert(key)) fresh_.push_back(i);
        if (stream_ == 0 && key.kind() == KeyKind::Integer)
            highest_id_ = std::max(highest_id_.value_or(0), key.integer());
    }
}

} // namespace pipedrive
