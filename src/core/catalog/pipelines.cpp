// Pipelines and their stages.
#include "core/catalog/rows.h"

namespace pipedrive {
namespace {

constexpr Column kPipelineColumns[] = {
    {"id", "id", Int, Always, "Pipeline id"},
    {"name", "name", Text, Always, "Name"},
    {"order_nr", "order_nr", Int, Always, "Position among the pipelines"},
    {"is_deal_probability_enabled", "is_deal_probability_enabled", Bool, Always,
     "Whether deals have a probability"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the pipeline is deleted"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while never changed"},
};

constexpr Endpoint kPipelineEndpoints[] = {
    {.path = "/api/v2/pipelines",
     .tokens = 5,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection},
};

constexpr Column kStageColumns[] = {
    {"id", "id", Int, Always, "Stage id"},
    {"name", "name", Text, Always, "Name"},
    {"pipeline_id", "pipeline_id", Int, Always, "Pipeline, see pipelines.id"},
    {"order_nr", "order_nr", Int, Always, "Position in the pipeline"},
    {"deal_probability", "deal_probability", Number, Always,
     "Default probability of its deals in percent"},
    {"is_deal_rot_enabled", "is_deal_rot_enabled", Bool, Always,
     "Whether deals in the stage can rot"},
    {"days_to_rotten", "days_to_rotten", Int, Always, "Days until a deal in the stage rots"},
    {"is_deleted", "is_deleted", Bool, Always, "Whether the stage is deleted"},
    {"add_time", "add_time", Timestamp, Always, "Time of creation"},
    {"update_time", "update_time", Timestamp, Always,
     "Time of the last change; NULL while never changed"},
};

constexpr Filter kStageFilters[] = {
    equal_filter("pipeline_id", 0.34),
};

constexpr Endpoint kStageEndpoints[] = {
    {.path = "/api/v2/stages",
     .tokens = 5,
     .paging = Paging::Cursor,
     .max_limit = 500,
     .sorting = Sorting::ByDirection},
};

constexpr EventField kPipelineEvents[] = {
    {.key = "active", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "deal_probability", .rule = EventRule::Rename, .field = "is_deal_probability_enabled"},
};

constexpr EventField kStageEvents[] = {
    {.key = "active_flag", .rule = EventRule::Not, .field = "is_deleted"},
    {.key = "rotten_flag", .rule = EventRule::Rename, .field = "is_deal_rot_enabled"},
    {.key = "rotten_days", .rule = EventRule::Rename, .field = "days_to_rotten"},
};

constexpr Entity kEntities[] = {
    {
        .name = "pipelines",
        .comment = "Pipelines",
        .endpoints = kPipelineEndpoints,
        .columns = kPipelineColumns,
        .webhook = {.object = "pipeline", .fields = kPipelineEvents},
        .guessed_rows = 5,
    },
    {
        .name = "stages",
        .comment = "Stages of the pipelines",
        .endpoints = kStageEndpoints,
        .columns = kStageColumns,
        .filters = kStageFilters,
        .webhook = {.object = "stage", .fields = kStageEvents},
        .guessed_rows = 30,
    },
};

} // namespace

constinit const std::span<const Entity> kPipelineFamily = kEntities;

} // namespace pipedrive
