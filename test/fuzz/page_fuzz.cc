// libFuzzer: any bytes as a page, as field definitions and as JSON. An Error is an answer; a crash,
// a leak or any other exception is not. script/fuzz builds and runs it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/wire/definitions.h"
#include "core/wire/page.h"
#include "core/wire/reader.h"
#include "fuzz/columns.h"

using namespace pipedrive;
using namespace pipedrive::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::vector<BoundColumn> columns = all_columns(require_entity("deals"));
    static Page page; // reused, as a scan does
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    survive([&] {
        PageRequest request;
        request.entity = "deals";
        request.columns = columns;
        request.paging = static_cast<Paging>(size % 3);
        request.shape = size % 2 == 0 ? Shape::Nested : Shape::Flat;
        decode_page(body, request, &page);
        for (std::size_t i = 0; i < page.rows(); ++i)
            for (const Cell& cell : page.row(i))
                if (cell.type == CellType::Text && !utf8_valid(cell.view())) __builtin_trap();
    });
    survive([&] {
        FieldCatalogue catalogue;
        decode_definitions(body, "deals", &catalogue);
        read_catalogue(write_catalogue(catalogue));
    });
    survive([&] {
        const JsonDocument document(body, "fuzz");
        std::string once, twice;
        document.root().write(&once);
        JsonDocument(once, "fuzz").root().write(&twice); // what we write, we read
        if (once != twice) __builtin_trap();
    });
    return 0;
}
