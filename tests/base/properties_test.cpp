#include "base/properties.hpp"

#include <doctest/doctest.h>

using namespace rafka;

namespace {

std::string show(std::string_view text) {
    auto properties = properties_of(text);
    if (!properties) return "refused";
    std::string out;
    for (auto& [key, value] : *properties) out += "<" + key + "|" + value + ">";
    return out;
}

}  // namespace

TEST_CASE("meta.properties as Kafka writes it is read") {
    CHECK(show("#\n#Tue Nov 24 23:46:03 UTC 2026\ncluster.id=4L6g3nShT-eMCtK--X86sw\nversion=1\n"
               "directory.id=Q3VGdm0lRhGNHZ9bS3J3gA\nnode.id=1\n") ==
          "<cluster.id|4L6g3nShT-eMCtK--X86sw><version|1><directory.id|Q3VGdm0lRhGNHZ9bS3J3gA><node.id|1>");
}

TEST_CASE("Java's line rules hold") {
    CHECK(show("a:b") == "<a|b>");
    CHECK(show("a b") == "<a|b>");
    CHECK(show("  a \t = \f b ") == "<a|b >");
    CHECK(show("a==b") == "<a|=b>");
    CHECK(show("a") == "<a|>");
    CHECK(show("a=b\r\nc=d\re=f") == "<a|b><c|d><e|f>");
    CHECK(show("! no\n# no\n\n  # no\nx=1") == "<x|1>");
    CHECK(show("a=one\\\n   two") == "<a|onetwo>");
    CHECK(show("a=one\\\\\nb=2") == "<a|one\\><b|2>");
    CHECK(show("a\\=b\\:c\\ d=x\\ty") == "<a=b:c d|x\ty>");
    CHECK(show("a=\\u00e9\\uD83D\\uDE00\\q") == "<a|\u00e9\U0001F600q>");
    CHECK(show("a=\\u00g9") == "refused");
    CHECK(show("a=\\u00") == "refused");
    CHECK(show("a=b\\") == "<a|b>");
}

TEST_CASE("properties come back from their text") {
    Properties properties{{"a b", " c:d=e"}, {"#x", "line\nline\t\\"}, {"!", "\u00e9"}, {"empty", ""}};
    auto text = to_text(properties, "of a test");
    CHECK(text.starts_with("#of a test\n"));
    CHECK(properties_of(text).value() == properties);
    CHECK(*find(properties, "empty") == "");
    CHECK(find(properties, "none") == nullptr);
    CHECK(*find({{"a", "1"}, {"a", "2"}}, "a") == "2");
}
