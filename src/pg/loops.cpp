#include "pg/pg_prelude.h"

#include "pg/loops.h"

namespace pipedrive::pg {
namespace {

struct Search {
    const PlannedStmt* statement;
    const Plan* wanted;
    double found;
};

struct Expressions {
    Search* search;
    // Of the node they are in.
    double loops;
    // Rows that they are evaluated for.
    double rows;
};

void visit(Plan* plan, double loops, Search* search);

void visit_subplan(const SubPlan* subplan, double loops, Search* search) {
    visit(static_cast<Plan*>(list_nth(search->statement->subplans, subplan->plan_id - 1)), loops,
          search);
}

// A subplan without parameters from outside runs once.
bool find_subplans(Node* node, void* arg) {
    if (node == nullptr) return false;
    auto* e = static_cast<Expressions*>(arg);
    if (IsA(node, SubPlan)) {
        auto* subplan = reinterpret_cast<SubPlan*>(node);
        visit_subplan(subplan, subplan->parParam == NIL ? e->loops : e->loops * e->rows, e->search);
    }
    return expression_tree_walker(node, walker(find_subplans), arg);
}

void visit_list(List* plans, double loops, Search* search) {
    ListCell* lc;
    foreach (lc, plans)
        visit(static_cast<Plan*>(lfirst(lc)), loops, search);
}

void visit_children(Plan* plan, double loops, Search* search) {
    double inner = loops;
    switch (nodeTag(plan)) {
        case T_NestLoop:
            // Without parameters the inner side brings the same rows again, and they are kept.
            if (reinterpret_cast<NestLoop*>(plan)->nestParams != NIL)
                inner *= Max(1.0, outerPlan(plan)->plan_rows);
            break;
        case T_Append:
            visit_list(reinterpret_cast<Append*>(plan)->appendplans, loops, search);
            break;
        case T_MergeAppend:
            visit_list(reinterpret_cast<MergeAppend*>(plan)->mergeplans, loops, search);
            break;
        case T_SubqueryScan:
            visit(reinterpret_cast<SubqueryScan*>(plan)->subplan, loops, search);
            break;
        default:
            break;
    }
    visit(outerPlan(plan), loops, search);
    visit(innerPlan(plan), inner, search);
}

void visit(Plan* plan, double loops, Search* search) {
    if (plan == nullptr) return;
    check_stack_depth();
    if (plan == search->wanted) search->found = Max(search->found, loops);
    ListCell* lc;
    foreach (lc, plan->initPlan)
        visit_subplan(lfirst_node(SubPlan, lc), loops, search);
    Expressions expressions = {search, loops, Max(1.0, plan->plan_rows)};
    find_subplans(reinterpret_cast<Node*>(plan->targetlist), &expressions);
    if (outerPlan(plan) != nullptr) expressions.rows = Max(1.0, outerPlan(plan)->plan_rows);
    find_subplans(reinterpret_cast<Node*>(plan->qual), &expressions);
    if (IsA(plan, NestLoop) || IsA(plan, MergeJoin) || IsA(plan, HashJoin))
        find_subplans(reinterpret_cast<Node*>(reinterpret_cast<Join*>(plan)->joinqual),
                      &expressions);
    visit_children(plan, loops, search);
}

} // namespace

double expected_loops(const PlannedStmt* statement, const Plan* node) {
    Search search = {statement, node, 1};
    visit(statement->planTree, 1, &search);
    return search.found;
}

} // namespace pipedrive::pg
