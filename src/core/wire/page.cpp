#include "core/wire/page.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/wire/decode.h"
#include "core/wire/reader.h"

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
        : request_(request), page_(page), tape_(&page->arena_) {
        page->arena_.clear();
        page->cells_.clear();
        page->ids_.clear();
        page->next_cursor_.clear();
        page->noticed_ = {};
        page->missing_custom_ = -1;
        page->width_ = request.columns.size();
        labels_.catalogue = request.catalogue;
        labels_.missing = request.missing_options;
        id_slot_ = slots_.add("id", false);
        for (const BoundColumn& column : request.columns)
            column_slots_.push_back(slot_for(column));
        if (request.single) {
            deleted_slot_ = slots_.add("is_deleted", false);
            archived_slot_ = slots_.add("is_archived", false);
        }
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
        if (place_ == Place::Root) return envelope_scalar(scalar, text);
        if (place_ == Place::Data && depth_ == 2 && in_data_array_) no_row(scalar);
        if (in_additional_ && key_ == "next_cursor" && scalar == Tok::String)
            page_->next_cursor_ = text;
    }

    void key(std::string_view text) override {
        if (capturing()) return tape_.key(text);
        if (place_ == Place::Root && depth_ == 1) {
            key_ = text;
        } else if (place_ == Place::Row && depth_ == row_depth_) {
            capture_ = slots_.find(text, false);
            // The object is entered, not captured, unless it is wanted as a whole.
            entering_custom_ = capture_ == whole_custom_ && !wants_whole_;
            if (entering_custom_) forget_custom();
        } else if (place_ == Place::Custom && depth_ == row_depth_ + 1) {
            capture_ = slots_.find(text, true);
        } else if (in_additional_) {
            key_ = text;
        }
    }

    void open(Tok container) override {
        if (capturing()) return captured([&] { tape_.open(container); });
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
        const int closing = depth_--;
        if (place_ == Place::Custom && closing == row_depth_ + 1) place_ = Place::Row;
        if (place_ == Place::Row && closing == row_depth_) finish_row();
        if (closing == 2) {
            place_ = Place::Root;
            in_additional_ = false;
        }
    }

    // After the document: what the envelope must have been.
    void finish() {
        if (failed_) {
            std::string detail = "The API answered \"success\": false";
            if (!error_text_.empty()) detail += ": " + excerpt(error_text_);
            throw Error(ErrorKind::Malformed, std::string(request_.entity), detail);
        }
        if (!saw_data_ || (data_null_ && request_.paged))
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "The answer has no \"data\" array.");
        page_->noticed_ = labels_;
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
        slots_.slots[capture_].at = capture_start_;
        capture_ = capture_start_ = kNone;
    }

    [[noreturn]] void no_row(Tok) {
        throw Error(ErrorKind::Malformed, std::string(request_.entity),
                    "An element of \"data\" is not an object.");
    }

    void envelope_scalar(Tok scalar, std::string_view text) {
        if (depth_ == 0)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "The answer is not a JSON object.");
        if (key_ == "success") failed_ = scalar == Tok::False;
        if (key_ == "error" && scalar == Tok::String) error_text_ = text;
        if (key_ != "data") return;
        saw_data_ = true;
        data_null_ = scalar == Tok::Null;
        if (!data_null_)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "\"data\" is neither an array nor an object.");
    }

    void enter_from_root(Tok container) {
        if (depth_ == 1) {
            if (container != Tok::Object)
                throw Error(ErrorKind::Malformed, std::string(request_.entity),
                            "The answer is not a JSON object.");
            return;
        }
        in_additional_ = key_ == "additional_data";
        place_ =
            Place::Data; // any value of the envelope; only data and additional_data are looked into
        in_data_array_ = false;
        if (key_ != "data") return;
        saw_data_ = true;
        data_null_ = false;
        page_->ids_.clear(); // "data" twice: the last one wins
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
    }

    // "custom_fields" twice: the last one wins, whatever it is.
    void forget_custom() {
        capture_ = kNone;
        for (Slot& slot : slots_.slots)
            if (slot.custom) slot.at = kNone;
    }

    JsonValue slot_value(std::size_t slot) const {
        return slots_.slots[slot].at == kNone ? JsonValue()
                                              : JsonValue(tape_.at(slots_.slots[slot].at));
    }

    // With custom_fields captured whole, its members are found inside it.
    void spread_custom() {
        if (!wants_whole_ || !wants_custom_) return;
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
        const JsonValue id = slot_value(id_slot_);
        const auto number = decimal_to_int64(id.text());
        if (!number)
            throw Error(ErrorKind::Malformed, std::string(request_.entity),
                        "Row " + std::to_string(page_->ids_.size() + 1) +
                            " of the page has no integer \"id\".");
        for (std::size_t i = 0; i < request_.columns.size(); ++i)
            page_->cells_.push_back(cell(i, id.text()));
        page_->ids_.push_back(*number);
    }

    // A record asked for by its id comes whichever list it is in.
    bool belongs_elsewhere() const {
        if (!request_.single) return false;
        return slot_value(deleted_slot_).is(Tok::True) ||
               (!request_.all_lists && is_archived() != request_.archived);
    }

    bool is_archived() const {
        return request_.single ? slot_value(archived_slot_).is(Tok::True) : request_.archived;
    }

    Cell cell(std::size_t i, std::string_view row_id) {
        const BoundColumn& column = request_.columns[i];
        if (column.source == Source::Endpoint) {
            Cell c;
            c.type = CellType::Bool;
            c.integer = is_archived();
            return c;
        }
        if (column.source == Source::Gone) return {};
        JsonValue v = slot_value(column_slots_[i]);
        if (column.source == Source::Labels && v.absent())
            v = slot_value(slots_.find(kLabelKeys[1], false));
        if (column.source == Source::Custom && v.absent())
            page_->missing_custom_ = static_cast<int>(i);
        try {
            return decode_cell(column, v, &page_->arena_, &labels_);
        } catch (Error& error) {
            error.subject = request_.entity;
            error.column = column.name;
            error.row_id = row_id;
            throw;
        }
    }

    const PageRequest& request_;
    Page* page_;
    TapeWriter tape_;
    SlotIndex slots_;
    std::vector<std::size_t> column_slots_;
    std::size_t id_slot_ = 0, whole_custom_ = 0, deleted_slot_ = kNone, archived_slot_ = kNone;
    LabelSource labels_;
    std::string key_, error_text_;
    std::size_t capture_ = kNone, capture_start_ = kNone;
    Place place_ = Place::Root;
    int depth_ = 0, row_depth_ = 0;
    bool wants_custom_ = false, wants_whole_ = false, entering_custom_ = false;
    bool in_data_array_ = false, in_additional_ = false, failed_ = false, saw_data_ = false,
         data_null_ = false;
};

void decode_page(std::string_view body, const PageRequest& request, Page* page) {
    PageReader reader(request, page);
    read_json(body, request.entity, &reader);
    reader.finish();
}

} // namespace pipedrive
