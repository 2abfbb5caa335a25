#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/base/error.h"
#include "core/base/url.h"
#include "core/http/gate.h"

namespace pipedrive {
namespace {

ErrorKind kind_of(auto&& call) {
    try {
        call();
    } catch (const Error& e) {
        EXPECT_FALSE(e.subject.empty());
        return e.kind;
    }
    return ErrorKind::Internal;
}

TEST(Auth, TokenTravelsInOneHeader) {
    const auto headers = token_authorizer("abc123")->headers();
    ASSERT_EQ(headers.size(), 1u);
    EXPECT_EQ(headers[0], "x-api-token: abc123");
    EXPECT_EQ(kind_of([] { token_authorizer("a\r\nHost: evil"); }), ErrorKind::BadOption);
}

TEST(Auth, ValidTokens) {
    EXPECT_TRUE(valid_token("0123456789abcdef"));
    EXPECT_TRUE(valid_token(std::string(512, 'x')));
    for (const std::string& bad :
         {std::string(), std::string(513, 'x'), std::string("a b"), std::string("a\n"),
          std::string("a\0b", 3), std::string("\xc3\xa9"), std::string("a\x7f"), std::string("\t")})
        EXPECT_FALSE(valid_token(bad));
}

TEST(Auth, CompanyDomain) {
    for (const char* text : {"acme", "ACME", "acme.pipedrive.com", "https://acme.pipedrive.com/",
                             "https://Acme.Pipedrive.com"})
        EXPECT_EQ(company_base_url(text), "https://acme.pipedrive.com") << text;
    EXPECT_EQ(company_base_url("a-1"), "https://a-1.pipedrive.com");
    EXPECT_EQ(company_base_url(std::string(63, 'a')),
              "https://" + std::string(63, 'a') + ".pipedrive.com");
    for (const std::string& bad :
         {std::string(), std::string("-acme"), std::string("acme-"), std::string("ac me"),
          std::string("ac.me"), std::string("acme.evil.com"), std::string("acme/x"),
          std::string("acme?"), std::string("acme@evil"), std::string("http://acme.pipedrive.com"),
          std::string("https://"), std::string(64, 'a'), std::string("acme\0", 5),
          std::string(".pipedrive.com"), std::string("acme.pipedrive.com.evil.com"),
          std::string("acme.pipedrive.com:443"), std::string("\xc3\xa9")})
        EXPECT_EQ(kind_of([&] { company_base_url(bad); }), ErrorKind::BadOption) << bad;
}

TEST(Auth, BaseUrls) {
    struct Row {
        const char* text;
        const char* url;
        bool https;
        HostClass host;
    };
    const Row rows[] = {
        {"https://acme.pipedrive.com", "https://acme.pipedrive.com", true, HostClass::Pipedrive},
        {"HTTPS://API.Pipedrive.COM/", "https://api.pipedrive.com", true, HostClass::Pipedrive},
        {"https://pipedrive.com:443", "https://pipedrive.com", true, HostClass::Pipedrive},
        {"https://pipedrive.com:0443", "https://pipedrive.com", true, HostClass::Pipedrive},
        {"https://evilpipedrive.com", "https://evilpipedrive.com", true, HostClass::Other},
        {"https://pipedrive.com.evil.org", "https://pipedrive.com.evil.org", true,
         HostClass::Other},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080", false, HostClass::Loopback},
        {"http://127.9.9.9", "http://127.9.9.9", false, HostClass::Loopback},
        {"http://localhost:80", "http://localhost", false, HostClass::Loopback},
        {"http://[::1]:8080/", "http://[::1]:8080", false, HostClass::Loopback},
        {"https://[2001:DB8::1]", "https://[2001:db8::1]", true, HostClass::Other},
        {"https://127.0.0.1.evil.org", "https://127.0.0.1.evil.org", true, HostClass::Other},
        {"https://10.0.0.1:8443", "https://10.0.0.1:8443", true, HostClass::Other},
    };
    for (const Row& row : rows) {
        const BaseUrl got = parse_base_url(row.text);
        EXPECT_EQ(got.url, row.url);
        EXPECT_EQ(got.https, row.https) << row.text;
        EXPECT_EQ(got.host, row.host) << row.text;
    }
}

TEST(Auth, RefusedBaseUrls) {
    for (const char* bad : {"",
                            "acme.pipedrive.com",
                            "ftp://x",
                            "file:///etc/passwd",
                            "https://",
                            "https:///",
                            "http://acme.pipedrive.com",
                            "http://10.0.0.1",
                            "http://128.0.0.1",
                            "http://127.1",
                            "http://2130706433",
                            "http://localhost.evil.org",
                            "https://user@host",
                            "https://user:pw@host",
                            "https://acme.pipedrive.com@evil.org",
                            "https://host/path",
                            "https://host//",
                            "https://host?x",
                            "https://host#x",
                            "https://ho st",
                            "https://host\n",
                            "https://host:",
                            "https://host:0",
                            "https://host:65536",
                            "https://host:-1",
                            "https://host:+1",
                            "https://host:8x",
                            "https://host:1:2",
                            "https://[::1",
                            "https://[zz]",
                            "https://[]",
                            "https://[::1]x",
                            "https://-host",
                            "https://host.",
                            "https://a..b",
                            "https://h\xc3\xb6st",
                            "https://host\\@evil",
                            "https://ho%73t",
                            "https://:80"})
        EXPECT_EQ(kind_of([&] { parse_base_url(bad); }), ErrorKind::BadOption) << bad;
}

TEST(Auth, GarbageUrlsAreRefusedOrNormal) {
    std::mt19937 random(2);
    const std::string alphabet = "htps:/.[]1a@?#% -\\";
    for (int i = 0; i < 50000; ++i) {
        std::string text = random() % 2 == 0 ? "https://" : "http://127.0.0.1";
        for (std::size_t n = random() % 10; n > 0; --n)
            text.push_back(alphabet[random() % alphabet.size()]);
        try {
            const BaseUrl url = parse_base_url(text);
            EXPECT_EQ(parse_base_url(url.url).url, url.url);
            EXPECT_TRUE(url.https || url.host == HostClass::Loopback);
        } catch (const Error& e) {
            EXPECT_EQ(e.kind, ErrorKind::BadOption);
        }
    }
}

} // namespace
} // namespace pipedrive
