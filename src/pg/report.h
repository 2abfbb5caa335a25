// From a core Error to an ereport: one row a kind (report.cpp). Plain data only.
#pragma once

#include "pg/pg_prelude.h"

#include <initializer_list>

#include "core/base/error.h"

namespace pipedrive::pg {

// For messages: whose server, which user. Pointers must outlive the call; secrets are masked in
// every text.
struct ReportContext {
    const char* server = nullptr;
    const char* user = nullptr;
    const char* secret = nullptr;
};

// What survives of an exception when the last C++ frame is left. take_*() never throw and never
// call PostgreSQL.
struct PodError {
    ErrorKind kind = ErrorKind::Internal;
    bool out_of_memory = false;
    int page = 0;
    char subject[256] = "";
    char detail[1200] = "";
    char hint[512] = "";
    char column[256] = "";
    char row_id[64] = "";

    void take(const Error& error) noexcept;
    void take_out_of_memory() noexcept { out_of_memory = true; }
    void take_unexpected(const char* what) noexcept;
};

[[noreturn]] void raise(PodError& failure, const ReportContext& who);

// ERROR 22004 that names the first of these arguments, counted from the first, that is NULL.
void refuse_nulls(FunctionCallInfo fcinfo, std::initializer_list<const char*> names);

// UTF-8 from the core, as the database wants it; characters it cannot hold become '?'. palloc'd or
// the argument itself.
const char* message_text(const char* utf8);

} // namespace pipedrive::pg
