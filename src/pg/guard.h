// The wall: how the glue calls the core.
//
// A function of the glue is a *leaf*: it may call PostgreSQL, which may longjmp, so it owns nothing
// with a destructor. It calls the core through entry(): inside the closure objects live and
// exceptions fly but no PostgreSQL function is called; what leaves is plain data, or an ereport
// raised after the last C++ frame is gone.
#pragma once

#include <new>
#include <string>
#include <type_traits>

#include "core/base/error.h"
#include "pg/report.h"

namespace pipedrive::pg {

// Runs the closure. A C++ exception becomes an ERROR with the row of its kind (report.cpp); `who`
// names server and user for the message. The result must be plain data.
template <typename F>
auto entry(const ReportContext& who, F&& body) -> std::invoke_result_t<F> {
    using Result = std::invoke_result_t<F>;
    static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
                  "only plain data crosses the wall");
    PodError failure;
    try {
        return body();
    } catch (const Error& error) {
        failure.take(error);
    } catch (const std::bad_alloc&) {
        failure.take_out_of_memory();
    } catch (const std::exception& error) {
        failure.take_unexpected(error.what());
    } catch (...) {
        failure.take_unexpected("unknown exception");
    }
    // Outside the handler: no exception object is alive when ereport jumps.
    raise(failure, who);
}

// The text a closure returns, as a palloc'd C string in the current memory context, in UTF-8.
template <typename F>
char* entry_text(const ReportContext& who, F&& body) {
    char* raw = nullptr;
    std::size_t size = 0;
    entry(who, [&] {
        const std::string text = body();
        raw = new char[text.size() + 1];
        size = text.size();
        text.copy(raw, size);
        raw[size] = '\0';
    });
    char* copy = static_cast<char*>(MemoryContextAllocExtended(
        CurrentMemoryContext, size + 1, MCXT_ALLOC_NO_OOM | MCXT_ALLOC_HUGE));
    if (copy != nullptr) memcpy(copy, raw, size + 1);
    delete[] raw;
    if (copy == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
    return copy;
}

// A core object that lives as long as a memory context: registered first, constructed afterwards,
// destroyed by reset, deletion and abort.
template <typename T>
struct Held {
    MemoryContextCallback callback;
    T* object;
};

template <typename T>
Held<T>* hold(MemoryContext context) {
    auto* held = static_cast<Held<T>*>(MemoryContextAllocZero(context, sizeof(Held<T>)));
    held->callback.arg = held;
    held->callback.func = [](void* arg) noexcept {
        auto* self = static_cast<Held<T>*>(arg);
        delete self->object;
        self->object = nullptr;
    };
    MemoryContextRegisterResetCallback(context, &held->callback);
    return held;
}

} // namespace pipedrive::pg
