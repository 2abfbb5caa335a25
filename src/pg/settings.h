// Settings (GUCs) of the extension. Read anywhere in the glue, written by PostgreSQL only.
#pragma once

namespace pipedrive::pg {

extern bool enable_pushdown; // pipedrive_fdw.enable_pushdown

void define_settings();

} // namespace pipedrive::pg
