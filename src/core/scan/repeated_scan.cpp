#include "core/scan/repeated_scan.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace pipedrive {
namespace {

Value ids_value(const KeyList& ids) {
    Value v;
    v.type =
        ids.empty() || ids[0].kind() == KeyKind::Integer ? Value::Type::Ints : Value::Type::Uuids;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (v.type == Value::Type::Ints)
            v.ints.push_back(ids[i].integer());
        else
            v.words.push_back(ids[i].spelled());
    }
    return v;
}

std::string targets(const RequestPlan& plan) {
    std::string text;
    for (const Stream& stream : plan.streams)
        text += "\n" + std::to_string(stream.stop_before) + " " + request_target(plan, stream, {});
    return text;
}

bool all_resolved(const ScanSpec& spec) noexcept {
    return std::all_of(spec.columns.begin(), spec.columns.end(),
                       [](const BoundColumn& c) { return c.resolved; });
}

} // namespace

RepeatedScan::RepeatedScan(const Account& account, ScanSpec spec, Transport& transport,
                           Clock& clock, CatalogueSlot& definitions, Repetition repetition)
    : account_(account),
      transport_(transport),
      clock_(clock),
      definitions_(definitions),
      repetition_(std::move(repetition)),
      spec_(spec),
      scan_(account, std::move(spec), transport, clock, definitions),
      store_(repetition_.memory, repetition_.file) {}

void RepeatedScan::start(std::vector<Value> values, WalkPart part) {
    ++round_;
    values_ = std::move(values);
    serving_.clear();
    next_ = 0;
    keeps_ = false;
    whole_table_ = -1;
    walked_ = part.lists_only;
    if (walked_) {
        phase_ = Phase::Passing;
        return scan_.start(values_, std::move(part));
    }
    scan_.stop();
    note_what_varies();
    plan_ = plan_requests(*spec_.entity, spec_.predicates, values_, {}, spec_.page_size);
    pending_ = plan_.nothing ? KeyList() : plan_.ids;
    std::string lists;
    for (const Stream& stream : plan_.streams)
        lists += std::string(stream.endpoint->path) + "\n";
    if (plan_.by_ids && !plan_.nothing && lists != lists_) {
        lists_ = lists;
        by_id_.clear();
        answers_.clear();
        forget_list();
    }
    phase_ = Phase::Deciding;
}

// A value that changed once is taken to change always. One that chooses among lists is not used
// then: what is known of an id is known of all of them.
void RepeatedScan::note_what_varies() {
    if (round_ == 1) {
        first_values_ = values_;
        varies_.assign(values_.size(), false);
    }
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (varies_[i] || values_[i] == first_values_[i]) continue;
        varies_[i] = true;
        forget_list();
    }
    for (const Predicate& p : spec_.predicates)
        if (p.value >= 0 && varies_[static_cast<std::size_t>(p.value)] &&
            kind_of(p) == FilterKind::Endpoint)
            values_[static_cast<std::size_t>(p.value)] = Value();
}

FilterKind RepeatedScan::kind_of(const Predicate& predicate) const {
    const Filter* filter = find_filter(*spec_.entity, predicate.column);
    return filter == nullptr ? FilterKind::Equal : filter->kind;
}

Scan::Step RepeatedScan::step(WaitFor* wait) {
    while (true) {
        switch (phase_) {
            case Phase::Deciding:
                decide();
                break;
            case Phase::Passing:
                return pass(wait);
            case Phase::Asking:
                if (!keep_asked(wait)) return Scan::Step::Wait;
                break;
            case Phase::Listing:
                if (!keep_listed(wait)) return Scan::Step::Wait;
                break;
            case Phase::Serving:
                if (next_ < serving_.size()) {
                    cells_ = store_.read(serving_[next_++]);
                    return Scan::Step::Row;
                }
                phase_ = pending_.empty() ? Phase::Finished : Phase::Deciding;
                break;
            case Phase::Finished:
                return Scan::Step::Done;
        }
    }
}

void RepeatedScan::decide() {
    if (plan_.nothing) return pass_on();
    if (plan_.by_ids) return decide_by_ids();
    if (list_done_) return serve(listed_rows());
    if (const auto known = answers_.find(question()); known != answers_.end())
        return serve(known->second);
    if (list_is_due(page_price())) return read_list(page_price());
    // what is read of the list already is not read again for a question that is the list
    if (list_ && list_->price() > 0 && asks_for_list()) return read_list(kNoEnd);
    pass_on();
}

// What is known of the ids is handed out before anything more is asked.
void RepeatedScan::decide_by_ids() {
    std::vector<std::size_t> found;
    pending_.erase_if([&](const RowKey& key) {
        const std::size_t* known = by_id_.find(key);
        if (known != nullptr && *known != kNowhere) found.push_back(*known);
        return known != nullptr || list_done_;
    });
    if (!found.empty() || pending_.empty()) return serve(std::move(found));
    const std::int64_t sure = price_of_ids(plan_.streams.front(), pending_.size()).tokens;
    if (list_is_due(sure)) return read_list(sure);
    ask(pending_.part(0, kIdsPerRequest));
}

void RepeatedScan::serve(std::vector<std::size_t> rows) {
    serving_ = std::move(rows);
    next_ = 0;
    phase_ = Phase::Serving;
}

void RepeatedScan::ask(KeyList ids) {
    std::vector<Value> values = values_;
    for (const Predicate& p : spec_.predicates)
        if (p.value >= 0 && is_lookup(kind_of(p)))
            values[static_cast<std::size_t>(p.value)] = ids_value(ids);
    asked_ = std::move(ids);
    scan_.start(std::move(values));
    phase_ = Phase::Asking;
}

// False: wait.
bool RepeatedScan::keep_asked(WaitFor* wait) {
    for (Scan::Step step; (step = scan_.step(wait)) != Scan::Step::Done;) {
        if (step == Scan::Step::Wait) return false;
        remember(scan_);
    }
    for (std::size_t i = 0; i < asked_.size(); ++i)
        by_id_.at(asked_[i], kNowhere);
    phase_ = Phase::Deciding;
    return true;
}

std::size_t RepeatedScan::remember(const Scan& from) {
    if (from.row_key().kind() == KeyKind::None) return store_.add(from.row_key(), from.row());
    std::size_t& row = by_id_.at(from.row_key(), kNowhere);
    if (row == kNowhere) row = store_.add(from.row_key(), from.row());
    return row;
}

void RepeatedScan::pass_on() {
    keeps_ = !plan_.nothing && (round_ > 1 || repetition_.expected);
    kept_.clear();
    passed_ = 0;
    scan_.start(values_);
    phase_ = Phase::Passing;
}

Scan::Step RepeatedScan::pass(WaitFor* wait) {
    const Scan::Step step = scan_.step(wait);
    if (step == Scan::Step::Row) ++passed_;
    if (step == Scan::Step::Done && spec_.predicates.empty() && !walked_) whole_table_ = passed_;
    if (!keeps_) return step;
    if (step == Scan::Step::Row) kept_.push_back(remember(scan_));
    if (step == Scan::Step::Done) {
        answers_[question()] = std::move(kept_);
        keeps_ = false;
    }
    return step;
}

// What tells one round's requests from another's.
std::string RepeatedScan::question() const {
    return targets(plan_);
}

bool RepeatedScan::asks_for_list() const {
    return !list_off_ && !stops_early(plan_) && targets(plan_) == targets(list_plan_);
}

// --- the list
// -----------------------------------------------------------------------------------------------

const std::vector<Stream>& RepeatedScan::list_streams() const {
    return list_ ? list_plan_.streams : plan_.streams;
}

std::int64_t RepeatedScan::page_price() const {
    const std::vector<Stream>& streams = list_streams();
    const std::size_t at =
        list_ && !position_.empty() ? static_cast<std::size_t>(std::stoul(position_)) : 0;
    return at < streams.size() ? streams[at].endpoint->tokens : 0;
}

// What the list may have cost by now: as much as the questions have, and as much as they are sure
// to cost yet where the list is expected to be cheaper. Where its price is known, nothing of it is
// read before the questions come to that, and then all.
std::int64_t RepeatedScan::credit(std::int64_t sure) const {
    const std::int64_t spent = scan_.price() + lost_price_;
    if (repetition_.list_rows <= 0) return spent;
    RequestPlan whole;
    whole.page_size = spec_.page_size;
    whole.streams = list_streams();
    const std::int64_t expected = estimate(whole, repetition_.list_rows).tokens;
    if (repetition_.known && spent + sure <= expected && !(repetition_.rounds && sure >= expected))
        return 0;
    return std::max(spent + (sure > expected ? sure : 0), repetition_.known ? expected : 0);
}

bool RepeatedScan::list_is_due(std::int64_t sure) {
    if (list_off_ || page_price() == 0) return false;
    // The only question that is to be expected is asked, unless it is a long one.
    if (round_ == 1 && !(repetition_.rounds && repetition_.known) &&
        (!plan_.by_ids || sure <= page_price()))
        return false;
    const std::int64_t spent = list_ ? list_->price() : 0;
    return spent + page_price() <= credit(sure);
}

void RepeatedScan::read_list(std::int64_t sure) {
    if (!list_) make_list();
    WalkPart part;
    part.position = position_;
    part.lists_only = true;
    const std::int64_t credited =
        (credit(sure) - list_->price()) / std::max<std::int64_t>(page_price(), 1);
    part.max_pages =
        sure == kNoEnd ? 0 : static_cast<int>(std::clamp<std::int64_t>(credited, 1, 1000));
    list_->start(first_values_, std::move(part));
    phase_ = Phase::Listing;
}

// All rows that the constant predicates select. An early end is left to lists that are read in one
// go.
void RepeatedScan::make_list() {
    ScanSpec spec = spec_;
    std::erase_if(spec.predicates, [&](const Predicate& p) {
        const FilterKind kind = kind_of(p);
        return is_lookup(kind) || kind == FilterKind::Newest ||
               (p.value >= 0 && varies_[static_cast<std::size_t>(p.value)]);
    });
    list_plan_ = plan_requests(*spec.entity, spec.predicates, first_values_, {}, spec.page_size);
    list_.emplace(account_, std::move(spec), transport_, clock_, definitions_);
}

void RepeatedScan::forget_list() {
    if (list_) {
        lost_price_ += list_->price();
        past_.add(list_->traffic());
        past_rows_ += list_->rows_fetched();
    }
    list_.reset();
    position_.clear();
    positions_.clear();
    listed_.clear();
    index_.clear();
    index_column_.clear();
    list_done_ = list_off_ = false;
}

// False: wait. Nobody asked for the list: when it cannot be read, the questions go on, and fail by
// themselves where they have to.
bool RepeatedScan::keep_listed(WaitFor* wait) {
    try {
        for (Scan::Step step; (step = list_->step(wait)) != Scan::Step::Done;) {
            if (step == Scan::Step::Wait) return false;
            const std::size_t row = remember(*list_);
            if (list_->row_key().kind() == KeyKind::None) listed_.push_back(row);
        }
        page_listed();
    } catch (const Error&) {
        forget_list();
        list_off_ = true;
    }
    phase_ = Phase::Deciding;
    return true;
}

void RepeatedScan::page_listed() {
    const std::optional<std::string> next = list_->next_position();
    if (next) {
        if (!positions_.insert(*next).second)
            throw Error(ErrorKind::Malformed, std::string(spec_.entity->name),
                        "The API sent the same cursor twice.");
        position_ = *next;
        return;
    }
    list_done_ = true;
    by_id_.each([&](std::size_t row) {
        if (row != kNowhere) listed_.push_back(row);
    });
    std::sort(listed_.begin(), listed_.end());
    if (list_->spec().predicates.empty()) whole_table_ = static_cast<std::int64_t>(listed_.size());
}

// Rows of the list that may satisfy this round's values: those with the value of a column that has
// to be equal to one, or all.
std::vector<std::size_t> RepeatedScan::listed_rows() {
    for (const Predicate& p : spec_.predicates) {
        if (p.value < 0 || kind_of(p) != FilterKind::Equal) continue;
        const Value& value = values_[static_cast<std::size_t>(p.value)];
        const auto column =
            std::find_if(spec_.columns.begin(), spec_.columns.end(), [&](const BoundColumn& c) {
                return c.resolved && c.source == Source::Field && c.kind == Kind::Int &&
                       c.field == p.column;
            });
        if (column == spec_.columns.end() || value.type != Value::Type::Ints ||
            value.ints.size() != 1)
            continue;
        if (index_column_ != p.column) {
            index_.clear();
            index_column_ = p.column;
            const auto at = static_cast<std::size_t>(column - spec_.columns.begin());
            for (std::size_t row : listed_)
                if (const Cell cell = store_.read(row)[at]; cell.type == CellType::Int)
                    index_[cell.integer].push_back(row);
        }
        const auto found = index_.find(value.ints.front());
        return found == index_.end() ? std::vector<std::size_t>() : found->second;
    }
    return listed_;
}

// --- what both scans have to tell
// -----------------------------------------------------------------------------------------------

Traffic RepeatedScan::traffic() const noexcept {
    Traffic sum = scan_.traffic();
    sum.add(past_);
    if (list_) sum.add(list_->traffic());
    return sum;
}

std::int64_t RepeatedScan::rows_fetched() const noexcept {
    return scan_.rows_fetched() + past_rows_ + (list_ ? list_->rows_fetched() : 0);
}

std::vector<UnknownOption> RepeatedScan::take_notices() {
    std::vector<UnknownOption> all = scan_.take_notices();
    if (list_)
        for (UnknownOption& option : list_->take_notices())
            all.push_back(std::move(option));
    return all;
}

bool RepeatedScan::has_notices() const noexcept {
    return scan_.has_notices() || (list_ && list_->has_notices());
}

const ScanSpec& RepeatedScan::spec() const noexcept {
    return list_ && !all_resolved(scan_.spec()) ? list_->spec() : scan_.spec();
}

} // namespace pipedrive
