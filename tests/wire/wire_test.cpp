#include "wire/codec.hpp"
#include "wire/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace rafka;
using namespace rafka::wire;

namespace {

std::string hex(Bytes bytes) {
    std::string text;
    for (auto byte : bytes) {
        constexpr auto digits = "0123456789abcdef";
        text += digits[uint8_t(byte) >> 4];
        text += digits[uint8_t(byte) & 15];
    }
    return text;
}

std::vector<std::byte> from_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    for (size_t i = 0; i + 1 < text.size(); i += 2) {
        if (text[i] == ' ') { --i; continue; }
        bytes.push_back(std::byte(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
    }
    return bytes;
}

// Not inside Sample: there clang knows its default value only behind the end of Sample, too late for an optional of it.
struct Inner {
    int32_t id = 7;
    friend bool operator==(const Inner&, const Inner&) = default;
    static void fields(auto& self, auto& f) { f(self.id); }
};

// A bit of everything; flexible from 2.
struct Sample {
    static constexpr Schema schema{99, 0, 4, 2};

    std::optional<std::string_view> name;
    Array<int16_t> numbers;
    std::optional<Array<std::string_view>> words;
    std::optional<Inner> inner;
    Offset offset;
    int64_t epoch = -1;
    std::optional<Inner> tagged_inner;
    std::string_view greeting = "hello";
    std::optional<Pieces> records;

    static void fields(auto& self, auto& f) {
        f(self.name, nullable_since(1));
        f(self.numbers, until(2));
        f(self.words, since(1).nullable_since(2));
        f(self.inner, since(3));
        f.tagged(0, self.epoch, since(2));
        f.tagged(3, self.tagged_inner, since(2));
        f.tagged(200, self.greeting, since(2));
        f(self.offset, between(1, 3));
        f(self.records, since(4));
    }
};

std::string bytes_of(const Sample& sample, int16_t version) {
    Payload out;
    write(out, sample, version);
    return hex(out.copy());
}

bool readable(std::string_view text, int16_t version) {
    Arena arena;
    auto bytes = from_hex(text);
    return read<Sample>(bytes, arena, version).has_value();
}

// Only an array, whose elements are as small as they can be.
struct Many {
    static constexpr Schema schema{98, 0, 1, 1};
    Array<std::string_view> list;
    static void fields(auto& self, auto& f) { f(self.list); }
};

}  // namespace

template struct rafka::wire::Codec<Sample>;
template struct rafka::wire::Codec<Many>;

TEST_CASE("lengths are fixed before the flexible version and compact from it on") {
    int16_t numbers[] = {1, -2};
    std::string_view words[] = {"x", ""};
    Sample sample;
    sample.name = "ab";
    sample.numbers = numbers;
    sample.words = words;
    sample.offset = Offset{5};
    CHECK(bytes_of(sample, 0) == "00026162" "00000002" "0001fffe");
    CHECK(bytes_of(sample, 1) == "00026162" "00000002" "0001fffe" "00000002" "000178" "0000" "0000000000000005");
    CHECK(bytes_of(sample, 2) == "036162" "03" "0001fffe" "03" "0278" "01" "0000000000000005" "00");
}

TEST_CASE("null is -1, zero in compact form, a byte before a struct and a varint in a tag") {
    Sample sample;
    CHECK(bytes_of(sample, 3) == "00" "00" "ff" "0000000000000000" "00");
    sample.inner = Inner{1};
    sample.tagged_inner = Inner{2};
    CHECK(bytes_of(sample, 3) == "00" "00" "01" "00000001" "00" "0000000000000000" "01" "03" "06" "01" "00000002" "00");
}

TEST_CASE("a tagged field is left out when it has the member's default, and comes with its size otherwise") {
    Sample sample;
    sample.epoch = 0;     // Not the default of the member, though of the type.
    sample.greeting = "";
    CHECK(bytes_of(sample, 4) == "00" "00" "ff" "00" "02" "00" "08" "0000000000000000" "c801" "01" "01");
    std::string text(300, 'x');  // A size of two bytes.
    sample.greeting = text;
    Arena arena;
    Payload out;
    write(out, sample, 4);
    auto bytes = out.copy();
    auto back = read<Sample>(bytes, arena, 4);
    REQUIRE(back.has_value());
    CHECK(back->greeting == text);
    CHECK(back->epoch == 0);
    CHECK_FALSE(back->tagged_inner.has_value());
}

TEST_CASE("null where the version forbids it is refused") {
    CHECK_FALSE(readable("ffff" "00000000", 0));
    CHECK_FALSE(readable("ffff" "00000000" "ffffffff" "0000000000000000", 1));
    CHECK(readable("ffff" "00000000" "00000000" "0000000000000000", 1));
    CHECK(readable("00" "01" "00" "0000000000000000" "00", 2));
    CHECK_FALSE(readable("00" "00" "00" "0000000000000000" "00", 2));  // The array of numbers.
}

TEST_CASE("unknown tags are skipped, known ones must fill their size exactly") {
    CHECK(readable("00" "01" "00" "0000000000000000" "01" "05" "02" "abcd", 2));
    CHECK(readable("00" "01" "00" "0000000000000000" "02" "00" "08" "0000000000000009" "8080808001" "00", 2));
    CHECK_FALSE(readable("00" "01" "00" "0000000000000000" "01" "00" "07" "00000000000000", 2));
    CHECK_FALSE(readable("00" "01" "00" "0000000000000000" "01" "00" "09" "000000000000000000", 2));
    CHECK_FALSE(readable("00" "01" "00" "0000000000000000" "01" "05" "03" "abcd", 2));
    CHECK_FALSE(readable("00" "01" "00" "0000000000000000" "ffffffff0f", 2));
}

TEST_CASE("lengths that lie are malformed and cost no memory") {
    for (auto text : {"00000000" "7fffffff", "00000000" "80000000", "8000" "00000000", "7fff" "00000000", "00000000" "00000003" "00010002"}) {
        CAPTURE(text);
        CHECK_FALSE(readable(text, 0));
    }
    for (auto text : {"00" "ffffffff0f" "00", "00" "ffffffffff0f", "ffffffff7f", "00" "01" "808080808001"}) {
        CAPTURE(text);
        CHECK_FALSE(readable(text, 2));
    }
    Arena arena;
    std::vector<std::byte> bytes(2'000'000, std::byte{0xff});
    store_be(bytes.data(), int32_t(1'500'000));
    CHECK_FALSE(read<Many>(bytes, arena, 0).has_value());
    store_be(bytes.data(), int32_t(1'000'000));
    CHECK_FALSE(read<Many>(bytes, arena, 0).has_value());  // Its first element is null.
    CHECK(arena.used() < 10'000);
}

TEST_CASE("a long array of short elements is read whole") {
    Arena arena;
    std::vector<std::byte> bytes(4 + 2 * 1'000'000);
    store_be(bytes.data(), int32_t(1'000'000));
    auto many = read<Many>(bytes, arena, 0);
    REQUIRE(many.has_value());
    CHECK(many->list.size() == 1'000'000);
    arena.reset();
    CHECK(arena.used() == 0);
}

TEST_CASE("a string too long for the wire is cut between characters") {
    std::string text(string_bytes_max - 1, 'x');
    text += "\xe2\x82\xac";
    std::string_view list[] = {text};
    Many many{.list = list};
    Payload out;
    write(out, many, 0);
    CHECK(out.size() == 4 + 2 + string_bytes_max - 1);
}

TEST_CASE("borrowed pieces stand between our own bytes, uncopied") {
    auto one = as_bytes("first batch"), two = as_bytes("second");
    Bytes list[] = {one, {}, two};
    Sample sample;
    sample.name = "n";
    sample.records = Pieces{list};
    Payload out;
    begin_frame(out);
    write_response_header(out, 77, true);
    write(out, sample, 4);
    end_frame(out);
    auto pieces = out.pieces();
    REQUIRE(pieces.size() == 4);
    CHECK(pieces[1].data() == one.data());
    CHECK(pieces[2].data() == two.data());
    CHECK(hex(pieces[0]) == "0000001c" "0000004d00" "026e" "00" "ff" "12");
    CHECK(hex(pieces[3]) == "00");
    CHECK(out.size() == 0x1c + 4);

    auto frame = out.copy();
    auto rest = Bytes(frame).subspan(4);
    CHECK(read_response_header(rest, true) == 77);
    Arena arena;
    auto back = read<Sample>(rest, arena, 4);
    REQUIRE(back.has_value());
    REQUIRE(back->records.has_value());
    CHECK(as_text(back->records->list[0]) == "first batchsecond");

    auto* before = out.at(0);
    out.clear();
    CHECK(out.empty());
    begin_frame(out);
    CHECK(out.at(0) == before);  // The memory is used again.
}

TEST_CASE("a request's header keeps the old client id in both forms") {
    auto flexible = +[](int16_t, int16_t version) { return version >= 9; };
    for (int16_t version : {8, 9}) {
        for (std::optional<std::string_view> id : {std::optional<std::string_view>("kcat"), std::optional<std::string_view>()}) {
            Payload out;
            write_request_header(out, {3, version, 42, id}, version >= 9);
            out.append(as_bytes("body"));
            auto frame = out.copy();
            Bytes rest = frame;
            auto header = read_request_header(rest, flexible);
            REQUIRE(header.has_value());
            CHECK(header->api_key == 3);
            CHECK(header->api_version == version);
            CHECK(header->correlation_id == 42);
            CHECK(header->client_id == id);
            CHECK(as_text(rest) == "body");
        }
    }
    auto refused = [&](std::string_view text) {
        auto frame = from_hex(text);
        Bytes rest = frame;
        return !read_request_header(rest, flexible).has_value() && rest.size() == frame.size();
    };
    CHECK(refused(""));
    CHECK(refused("0003000800000001"));
    CHECK(refused("00030008000000010004616263"));
    CHECK(refused("0003000800000001fffe"));
    CHECK(refused("0003000900000001ffff"));
    CHECK(refused("0003000900000001ffff" "01" "00" "05" "00"));
}

TEST_CASE("a frame's size is checked before anything is taken for it") {
    CHECK(frame_size(from_hex("00000010"), 100) == 16u);
    CHECK(frame_size(from_hex("ffffffff"), 100) == rafka::fail(Errc::malformed));
    CHECK(frame_size(from_hex("00000065"), 100) == rafka::fail(Errc::too_large));
}

TEST_CASE("a message is printed with what its version has") {
    int16_t numbers[] = {1, -2};
    Sample sample;
    sample.name = "a\"\n";
    sample.numbers = numbers;
    sample.inner = Inner{3};
    CHECK(describe(sample, 0) == R"({"a\"\x0a", [1, -2]})");
    CHECK(describe(sample, 3) == R"({"a\"\x0a", null, {3}, #0 -1, #3 null, #200 "hello", 0})");
    std::string_view list[] = {"x", ""};
    CHECK(describe(Many{.list = list}, 1) == R"({["x", ""]})");
}

TEST_CASE("an array builder grows, and a used arena allocates no more") {
    Arena arena;
    auto fill = [&] {
        ArrayBuilder<int32_t> builder(arena, 2);
        for (int32_t i = 0; i < 1000; ++i) builder.push(i);
        auto taken = builder.take();
        CHECK(taken.size() == 1000);
        CHECK(taken[999] == 999);
        return taken.data();
    };
    fill();
    arena.reset();
    auto* first = fill();
    arena.reset();
    CHECK(fill() == first);
}
