#include "core/plan/plan_text.h"

#include <algorithm>

#include "core/base/decimal.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace pipedrive {
namespace {

constexpr std::string_view kHeader = "pipedrive plan 2";

struct OpRow {
    Op op;
    std::string_view name;
};
constexpr OpRow kOps[] = {{Op::Eq, "eq"},          {Op::AnyOf, "any"},       {Op::Lt, "lt"},
                          {Op::Le, "le"},          {Op::Gt, "gt"},           {Op::Ge, "ge"},
                          {Op::IsTrue, "is-true"}, {Op::IsFalse, "is-false"}};

[[noreturn]] void broken(std::string_view line) {
    throw Error(ErrorKind::Internal, "plan text", "cannot read \"" + excerpt(line, 80) + "\"");
}

// Words of a line, separated by single blanks; each percent-encoded, "-" for empty.
std::string word(std::string_view s) {
    return s.empty() ? "-" : s == "-" ? "%2D" : percent_encode(s);
}

std::string unword(std::string_view s, std::string_view line) {
    if (s == "-") return {};
    std::string out;
    auto digit = [&](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        broken(line);
    };
    for (std::size_t i = 0; i < s.size(); ++i) {
        if (s[i] != '%') {
            out += s[i];
            continue;
        }
        if (i + 2 >= s.size()) broken(line);
        out += static_cast<char>(digit(s[i + 1]) * 16 + digit(s[i + 2]));
        i += 2;
    }
    return out;
}

std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> words;
    std::string_view rest = line;
    while (true) {
        const std::size_t blank = rest.find(' ');
        words.push_back(unword(rest.substr(0, blank), line));
        if (blank == std::string_view::npos) return words;
        rest.remove_prefix(blank + 1);
    }
}

int number(const std::string& s, std::string_view line) {
    const auto n = decimal_to_int64(s);
    if (!n || *n < -100000 || *n > 100000) broken(line);
    return static_cast<int>(*n);
}

void read_line(const std::vector<std::string>& w, std::string_view line, ScanPlan* plan) {
    if (w[0] == "entity" && w.size() == 2) {
        plan->entity = w[1];
    } else if (w[0] == "column" && w.size() == 7) {
        plan->columns.push_back({number(w[1], line), w[2], w[3], w[4], w[5], w[6] == "removed"});
    } else if (w[0] == "predicate" && w.size() == 4) {
        const OpRow* row = std::find_if(std::begin(kOps), std::end(kOps),
                                        [&](const OpRow& r) { return r.name == w[2]; });
        if (row == std::end(kOps)) broken(line);
        plan->predicates.push_back({w[1], row->op, number(w[3], line)});
    } else {
        broken(line);
    }
}

} // namespace

std::string write_plan(const ScanPlan& plan) {
    std::string out(kHeader);
    out += "\nentity " + word(plan.entity);
    for (const DeclaredColumn& c : plan.columns)
        out += "\ncolumn " + std::to_string(c.attnum) + " " + word(c.name) + " " + word(c.field) +
               " " + word(c.subfield) + " " + word(c.type) + (c.removed ? " removed" : " -");
    for (const Predicate& p : plan.predicates) {
        const OpRow* row = std::find_if(std::begin(kOps), std::end(kOps),
                                        [&](const OpRow& r) { return r.op == p.op; });
        out += "\npredicate " + word(p.column) + " " + std::string(row->name) + " " +
               std::to_string(p.value);
    }
    return out;
}

ScanPlan read_plan(std::string_view text) {
    ScanPlan plan;
    bool first = true;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (first ? line != kHeader : line.empty()) broken(line);
        if (!first) read_line(split(line), line, &plan);
        first = false;
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    if (first || plan.entity.empty()) broken(text);
    return plan;
}

} // namespace pipedrive
