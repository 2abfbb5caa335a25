// Settings (GUCs) of the extension. Read anywhere in the glue, written by PostgreSQL only.
#pragma once

namespace pipedrive::pg {

// pipedrive_fdw.enable_pushdown
extern bool enable_pushdown;
// pipedrive_fdw.max_tokens_per_query; 0: no limit.
extern int max_tokens_per_query;
// pipedrive_fdw.max_requests_per_query; 0: no limit.
extern int max_requests_per_query;

void define_settings();

} // namespace pipedrive::pg
