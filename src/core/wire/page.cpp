#include "core/wire/page.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/wire/decode.h"
#include "core/wire/envelope.h"
#include "core/wire/reader.h"
#include "core/wire/storable.h"

namespace pipedrive {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// A wanted JSON key. Several columns may read the same one (a money field: amount and currency).
struct Slot {
    std::string_view key;
    bool custom;
    std::size_t at =
        kNone; // start of the value on the row's tape, kNone while the row has not shown it
};

// Finds slots by key; keys come in the same order row after row, so the slot after the last hit is
// tried first.
class SlotIndex {
  public:
    std::size_t add(std::string_view key, bool custom) {
        for (std::size_t i = 0; i < slots.size(); ++i)
            if (slots[i].key == key && slots[i].custom == custom) return i;
        slots.push_back({key, custom, kNone});
        return slots.size() - 1;
    }
    void finish() {
        for (std::size_t i = 0; i < slots.size(); ++i)
            (slots[i].custom ? custom_ : top_).emplace(slots[i].key, i);
    }
    std::size_t find(std::string_view key, bool custom) {
        if (next_ < slots.size() && slots[next_].custom == custom && slots[next_].key == key)
            return next_++;
        const auto& map = custom ? custom_ : top_;
        const auto it = map.find(key);
        if (it == map.end()) return kNone;
        next_ = it->second + 1;
        return it->second;
    }
    std::vector<Slot> slots;

  private:
    std::unordered_map<std::string_view, std::size_t> top_, custom_;
    std::size_t next_ = 0;
};

// The label objects that include_labels adds: under a key of their own, or in place of the ids.
constexpr std::string_view kLabelKeys[] = {"labels", "label_ids"};

} // namespace

// Where in the document the reader is. Everything that nobody wants is passed over by counting
// depth.
class PageReader final : public JsonEvents {
  public:
    PageReader(const PageRequest& request, Page* page)
        : request_(request), page_(page), tape_(&page->arena_), additional_(&page->arena_) {
        page->arena_.clear();
        page->cells_.clear();
        page->keys_.clear();
        page->end_ = {};
        page->noticed_ = {};
        page->doubts_.clear();
        page->has_key_.assign(request.columns.size(), false);
        page->width_ = request.columns.size();
        labels_.catalogue = request.catalogue;
        labels_.missing = request.missing_options;
        key_slot_ = slots_.add(request.key, false);
        for (const BoundColumn& column : request.columns)
            column_slots_.push_back(slot_for(column));
        if (request.single) {
            if (!request.deleted.field.empty())
                deleted_slot_ = slots_.add(request.deleted.field, false);
            archived_slot_ = slots_.add("is_archived", false);
        }
        record_slot_ = slots_.add({}, false);
        whole_custom_ = slots_.add("custom_fields", false);
        wants_custom_ = std::any_of(slots_.slots.begin(), slots_.slots.end(),
                                    [](const Slot& s) { return s.custom; });
        wants_whole_ =
            std::any_of(request.columns.begin(), request.columns.end(), [](const BoundColumn& c) {
                return c.source == Source::Field && c.field == "custom_fields";
            });
        slots_.finish();
    }

    void value(Tok scalar, std::string_view text) override {
        if (capturing()) return captured([&] { tape_.value(scalar, text); });
        if (in_additional_) return additional([&] { additional_.value(scalar, text); });
        if (place_ == Place::Root) return envelope_scalar(scalar, text);
        if (place_ == Place::Data && depth_ == 2 && in_data_array_) no_row(scalar);
    }

    void key(std::string_view text) override {
        if (capturing()) return tape_.key(text);
        if (in_additional_) return additional_.key(text);
        if (place_ == Place::Root && depth_ == 1) {
            key_ = text;
            in_additional_ = key_ == "additional_data";
            if (in_additional_) additional_.clear(); // twice: the last one wins
        } else if (place_ == Place::Row && depth_ == row_depth_) {
            capture_ = slots_.find(text, false);
            // The object is entered, not captured, unless it is wanted as a whole.
            entering_custom_ = capture_ == whole_custom_ && !wants_whole_;
            if (entering_custom_) forget_custom();
        } else if (place_ == Place::Custom && depth_ == row_depth_ + 1) {
            capture_ = slots_.find(text, true);
        }
    }

    void open(Tok container) override {
        if (capturing()) return captured([&] { tape_.open(container); });
        if (in_additional_) return additional([&] { additional_.open(container); });
        ++depth_;
        if (place_ == Place::Root) return enter_from_root(container);
        if (place_ == Place::Data && depth_ == 3 && in_data_array_) {
            if (container != Tok::Object) no_row(container);
            start_row();
        } else if (place_ == Place::Row && entering_custom_) {
            entering_custom_ = false;
            if (container == Tok::Object && wants_custom_) place_ = Place::Custom;
        }
    }

    void close(Tok) override {
        if (capturing()) return captured([&] { tape_.close(); });
        if (in_additional_) return additional([&] { additional_.close(); });
        const int closing = depth_--;
        if (place_ == Place::Custom && closing == row_depth_ + 1) place_ = Place::Row;
        if (place_ == Place::Row && closing == row_depth_) finish_row();
        if (closing == 2) place_ = Place::Root;
    }

    // After the document: what the envelope must have been.
    void finish() {
        if (failed_)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        failure_detail(said_false_, error_text_));
        if (!saw_data_ || (data_null_ && request_.paging == Paging::Cursor))
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "The answer has no \"data\" array.");
        page_->end_ = list_end(additional_.size() > 0 ? JsonValue(additional_.at(0)) : JsonValue(),
                               request_.paging, request_.entity);
        page_->noticed_ = labels_;
        doubt_missing_keys();
    }

  private:
    enum class Place : std::uint8_t { Root, Data, Row, Custom };

    std::size_t slot_for(const BoundColumn& column) {
        if (column.source == Source::Endpoint || column.source == Source::Gone) return kNone;
        if (column.source == Source::Labels) {
            for (std::string_view key : kLabelKeys)
                slots_.add(key, false);
            return slots_.add(kLabelKeys[0], false);
        }
        return slots_.add(column.field, column.source == Source::Custom);
    }

    bool capturing() const noexcept { return capture_ != kNone; }

    template <typename F>
    void captured(F&& feed) {
        if (capture_start_ == kNone) capture_start_ = tape_.size();
        feed();
        if (tape_.depth() > 0) return;
        const std::size_t whole = std::exchange(capture_, kNone);
        slots_.slots[whole].at = std::exchange(capture_start_, kNone);
        if (whole == record_slot_) finish_row();
    }

    template <typename F>
    void additional(F&& feed) {
        feed();
        in_additional_ = additional_.depth() > 0;
    }

    [[noreturn]] void no_row(Tok) {
        throw Error(ErrorKind::Malformed, std::string(request_.entity),
                    "An element of \"data\" is not an object.");
    }

    void envelope_scalar(Tok scalar, std::string_view text) {
        if (depth_ == 0)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "The answer is not a JSON object.");
        if (key_ == "success") {
            failed_ = scalar != Tok::True;
            said_false_ = scalar == Tok::False;
        }
        if (key_ == "error" && scalar == Tok::String) error_text_ = text;
        if (scalar != Tok::Null && scalar != Tok::False && !text.empty()) check_end_word();
        if (scalar == Tok::True) check_end_word();
        if (key_ != "data") return;
        saw_data_ = true;
        data_null_ = scalar == Tok::Null;
        page_->keys_.clear();
        page_->cells_.clear();
        if (!data_null_)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "\"data\" is neither an array nor an object.");
    }

    // An end beside the rows instead of in "additional_data".
    void check_end_word() const {
        if (std::find(std::begin(kEndWords), std::end(kEndWords), key_) == std::end(kEndWords))
            return;
        throw Error(
            ErrorKind::Malformed, std::string(request_.entity),
            "\"" + key_ + "\" stands beside \"data\", where no end of a list is documented.");
    }

    void enter_from_root(Tok container) {
        if (depth_ == 1) {
            if (container != Tok::Object)
                throw Error(ErrorKind::Malformed, std::string(request_.entity),
                            "The answer is not a JSON object.");
            return;
        }
        place_ = Place::Data; // any value of the envelope; only data is looked into
        in_data_array_ = false;
        if (key_ == "success") failed_ = true;
        check_end_word();
        if (key_ != "data") return;
        saw_data_ = true;
        data_null_ = false;
        page_->keys_.clear(); // "data" twice: the last one wins
        page_->cells_.clear();
        in_data_array_ = container == Tok::Array;
        if (!in_data_array_) start_row(); // a single record
    }

    void start_row() {
        place_ = Place::Row;
        row_depth_ = depth_;
        tape_.clear();
        for (Slot& slot : slots_.slots)
            slot.at = kNone;
        if (!flat()) return;
        --depth_; // all of the record is kept, to its end
        capture_ = record_slot_;
        captured([&] { tape_.open(Tok::Object); });
    }

    bool flat() const noexcept { return request_.shape == Shape::Flat; }

    JsonValue record() const { return JsonValue(tape_.at(slots_.slots[record_slot_].at)); }

    // "custom_fields" twice: the last one wins, whatever it is.
    void forget_custom() {
        capture_ = kNone;
        for (Slot& slot : slots_.slots)
            if (slot.custom) slot.at = kNone;
    }

    JsonValue slot_value(std::size_t slot) const {
        if (flat()) return record().member(slots_.slots[slot].key);
        return slots_.slots[slot].at == kNone ? JsonValue()
                                              : JsonValue(tape_.at(slots_.slots[slot].at));
    }

    // With custom_fields captured whole, its members are found inside it.
    void spread_custom() {
        if (!wants_whole_ || !wants_custom_ || flat()) return;
        const JsonValue whole = slot_value(whole_custom_);
        const Token* base = tape_.size() > 0 ? tape_.at(0) : nullptr;
        whole.each_member([&](std::string_view key, JsonValue v) {
            if (const std::size_t slot = slots_.find(key, true); slot != kNone)
                slots_.slots[slot].at = static_cast<std::size_t>(v.token() - base);
        });
    }

    void finish_row() {
        place_ = in_data_array_ ? Place::Data : Place::Root;
        if (belongs_elsewhere()) return;
        spread_custom();
        const JsonValue id = slot_value(key_slot_);
        const std::optional<RowKey> key = parse_key(request_.key_kind, id.text());
        if (!key)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "Row " + std::to_string(page_->keys_.size() + 1) + " of the page has no " +
                            std::string(key_kind_name(request_.key_kind)) + " \"" +
                            std::string(request_.key) + "\".");
        const std::size_t before = page_->cells_.size();
        try {
            for (std::size_t i = 0; i < request_.columns.size(); ++i)
                page_->cells_.push_back(cell(i, *key));
        } catch (const Error& error) {
            if (request_.set_aside == nullptr || error.kind != ErrorKind::BadValue) throw;
            page_->cells_.resize(before);
            request_.set_aside->push_back({key->spelled(), error.column, error.detail});
            return;
        }
        page_->keys_.push_back(*key);
    }

    // A record asked for by its id comes whichever list it is in.
    bool belongs_elsewhere() const {
        if (!request_.single) return false;
        return is_deleted() || (!request_.all_lists && is_archived() != request_.archived);
    }

    bool is_deleted() const {
        return deleted_slot_ != kNone &&
               slot_value(deleted_slot_).is(request_.deleted.value ? Tok::True : Tok::False);
    }

    bool is_archived() const {
        return request_.single ? slot_value(archived_slot_).is(Tok::True) : request_.archived;
    }

    // After the value of a custom column was read. v1 leaves out what has no value: there only a
    // key that no row has may mean that the field is gone.
    void notice(std::size_t i, const RowKey& key, bool absent, bool odd) {
        if (!absent) page_->has_key_[i] = true;
        if ((absent && !flat()) || odd)
            page_->doubts_.push_back({key, static_cast<std::uint32_t>(i), absent});
    }

    void doubt_missing_keys() {
        for (std::size_t i = 0; flat() && page_->rows() > 0 && i < request_.columns.size(); ++i)
            if (request_.columns[i].source == Source::Custom && !page_->has_key_[i])
                page_->doubts_.push_back({page_->keys_[0], static_cast<std::uint32_t>(i), true});
    }

    Cell decode(std::size_t i, const RowKey& key) {
        const BoundColumn& column = request_.columns[i];
        JsonValue v = slot_value(column_slots_[i]);
        if (column.source == Source::Labels && v.absent())
            v = slot_value(slots_.find(kLabelKeys[1], false));
        const int odd_before = labels_.odd;
        const Cell c = flat() ? decode_flat_cell(column, record(), &page_->arena_, &labels_)
                              : decode_cell(column, v, &page_->arena_, &labels_);
        if (column.source == Source::Custom) notice(i, key, v.absent(), labels_.odd > odd_before);
        // A query may show it in a column of another type; the table of a mirror cannot.
        if (request_.set_aside != nullptr)
            if (const std::string_view why = unstorable(column.kind, c); !why.empty())
                throw Error(ErrorKind::BadValue, {}, std::string(why));
        return c;
    }

    Cell cell(std::size_t i, const RowKey& key) {
        const BoundColumn& column = request_.columns[i];
        if (column.source == Source::Endpoint) {
            Cell c;
            c.type = CellType::Bool;
            c.integer = is_archived();
            return c;
        }
        if (column.source == Source::Gone) return {};
        try {
            return decode(i, key);
        } catch (Error& error) {
            error.subject = request_.entity;
            error.column = column.name;
            error.row_id = key.spelled();
            throw;
        }
    }

    const PageRequest& request_;
    Page* page_;
    TapeWriter tape_, additional_; // of the row; of additional_data
    SlotIndex slots_;
    std::vector<std::size_t> column_slots_;
    std::size_t key_slot_ = 0, record_slot_ = 0, whole_custom_ = 0, deleted_slot_ = kNone,
                archived_slot_ = kNone;
    LabelSource labels_;
    std::string key_, error_text_;
    std::size_t capture_ = kNone, capture_start_ = kNone;
    Place place_ = Place::Root;
    int depth_ = 0, row_depth_ = 0;
    bool wants_custom_ = false, wants_whole_ = false, entering_custom_ = false;
    bool in_data_array_ = false, in_additional_ = false, failed_ = false, said_false_ = false,
         saw_data_ = false, data_null_ = false;
};

struct PageDecoder::Work {
    Work(std::string_view body, const PageRequest& r, Page* page)
        : request(r), rows(request, page), json(body, request.entity, &rows) {}
    PageRequest request;
    PageReader rows;
    JsonReader json;
};

PageDecoder::PageDecoder(std::string_view body, const PageRequest& request, Page* page)
    : work_(std::make_unique<Work>(body, request, page)) {}
PageDecoder::~PageDecoder() = default;

bool PageDecoder::read(std::size_t bytes) {
    if (!work_->json.read(bytes)) return false;
    work_->rows.finish();
    return true;
}

void decode_page(std::string_view body, const PageRequest& request, Page* page) {
    PageDecoder decoder(body, request, page);
    while (!decoder.read(body.size())) {
    }
}

} // namespace pipedrive
