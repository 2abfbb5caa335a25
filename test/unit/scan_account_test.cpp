// Options to account, account to request.
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/scan/account.h"

namespace pipedrive {
namespace {

TEST(Account, DefaultsAndOverrides) {
    const OptionValue least[] = {{"company_domain", "acme"}, {"api_token", "T0KEN"}};
    const Account a = account_from_options(least);
    EXPECT_EQ(a.base_url, "https://acme.pipedrive.com");
    EXPECT_EQ(a.authorizer->headers(), std::vector<std::string>{"x-api-token: T0KEN"});
    EXPECT_EQ(a.connect_timeout_ms, 10000);
    EXPECT_EQ(a.request_timeout_ms, 60000);
    EXPECT_EQ(a.max_response_size, 64 << 20);
    const OptionValue most[] = {{"api_base_url", "http://127.0.0.1:8080/"},
                                {"company_domain", "acme"}, // the address wins in either order
                                {"connect_timeout", "500ms"},
                                {"request_timeout", "2min"},
                                {"max_retries", "0"},
                                {"max_wait", "1h"},
                                {"max_response_size", "1MB"},
                                {"ca_file", "/etc/ca.pem"},
                                {"entity", "deals"},
                                {"api_token", "T"}};
    const Account b = account_from_options(most);
    EXPECT_EQ(b.base_url, "http://127.0.0.1:8080");
    EXPECT_EQ(b.connect_timeout_ms, 500);
    EXPECT_EQ(b.request_timeout_ms, 120000);
    EXPECT_EQ(b.retries.max_retries, 0);
    EXPECT_EQ(b.retries.max_wait_ms, 3600000);
    EXPECT_EQ(b.max_response_size, 1 << 20);
    EXPECT_EQ(b.ca_file, "/etc/ca.pem");
    const OptionValue reversed[] = {
        {"company_domain", "acme"}, {"api_base_url", "http://127.0.0.1:1"}, {"api_token", "T"}};
    EXPECT_EQ(account_from_options(reversed).base_url, "http://127.0.0.1:1");
}

TEST(Account, WhatIsMissingOrUnreadableIsNamed) {
    const auto subject = [](std::vector<OptionValue> options) {
        try {
            account_from_options(options);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, ErrorKind::BadOption);
            return e.subject;
        }
        return std::string("no error");
    };
    const OptionValue domain{"company_domain", "acme"}, token{"api_token", "T"};
    EXPECT_EQ(subject({token}), "company_domain");
    EXPECT_EQ(subject({domain}), "api_token");
    EXPECT_EQ(subject({domain, {"api_token", ""}}), "api_token");
    EXPECT_EQ(subject({domain, {"api_token", "a\r\nHost: evil"}}), "api_token");
    EXPECT_EQ(subject({domain, token, {"request_timeout", "soon"}}), "request_timeout");
    EXPECT_EQ(subject({domain, token, {"max_response_size", "big"}}), "max_response_size");
}

TEST(Account, Requests) {
    const OptionValue options[] = {
        {"company_domain", "acme"}, {"api_token", "T"}, {"request_timeout", "7s"}};
    const HttpRequest r = account_request(account_from_options(options), "/api/v2/deals?limit=1");
    EXPECT_EQ(r.url, "https://acme.pipedrive.com/api/v2/deals?limit=1");
    EXPECT_EQ(r.url.find('T'), std::string::npos); // a token is never part of an address
    EXPECT_TRUE(r.headers.empty());                // they come with each send
    EXPECT_EQ(r.request_timeout_ms, 7000);
    EXPECT_EQ(r.max_response_size, static_cast<std::size_t>(kDefaultMaxResponseSize));
}

// Whatever is not a path of the account's own origin could send the token elsewhere, or smuggle a
// second request.
TEST(Account, RequestsStayAtTheirOrigin) {
    const OptionValue options[] = {{"company_domain", "acme"}, {"api_token", "T"}};
    const Account account = account_from_options(options);
    for (const char* target :
         {"", "x", ":43999/x", ".evil.example/x", "@evil.example/x", "//evil.example/x", "/a b",
          "/a\r\nHost: evil", "/a\tb", "/a#b", "/\\evil.example", "/\xC3\xA4", "/\x7F"})
        EXPECT_THROW(account_request(account, target), Error) << target;
    for (const char* method : {"", "get", "TRACE", "CONNECT", "GET / HTTP/1.1", "GET\r\nX: y"})
        EXPECT_THROW(account_request(account, "/x", method), Error) << method;
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
        EXPECT_EQ(account_request(account, "/x?y=%20", method).method, method);
}

} // namespace
} // namespace pipedrive
