#include "core/http/gate.h"

#include "core/base/error.h"
#include "core/base/url.h"

namespace pipedrive {
namespace {

class TokenAuthorizer final : public Authorizer {
  public:
    explicit TokenAuthorizer(const std::string& token) : headers_{"x-api-token: " + token} {}
    std::vector<std::string> headers() override { return headers_; }

  private:
    std::vector<std::string> headers_;
};

} // namespace

std::unique_ptr<Authorizer> token_authorizer(const std::string& api_token) {
    if (!valid_token(api_token))
        throw Error(ErrorKind::BadOption, "api_token",
                    "The token must be 1 to 512 printable ASCII characters without blanks.");
    return std::make_unique<TokenAuthorizer>(api_token);
}

} // namespace pipedrive
