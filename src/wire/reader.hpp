#pragma once

// Reads a message by visiting its fields. Hostile input is an ordinary case: every length is checked against the bytes
// that are there, memory grows with what was really read, and the first failure ends it all (ok() stays false).

#include "base/endian.hpp"
#include "base/varint.hpp"
#include "wire/arena.hpp"
#include "wire/fields.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace rafka::wire {

class Reader {
public:
    static constexpr size_t elements_max = 1'000'000;
    static constexpr uint32_t tags_max = 10'000;
    // A message in memory is several times its bytes, and what handlers make of it several times that.
    static constexpr size_t arena_bytes_max = size_t(32) << 20;

    Reader(Bytes in, Arena& arena, int16_t version, bool flexible)
        : at_(in.data()), end_(in.data() + in.size()), arena_(arena), version_(version), flexible_(flexible) {}

    bool ok() const { return !failed_; }
    Bytes rest() const { return {at_, end_}; }

    template <Part T>
    void part(T& part) {
        Plain visit{*this};
        T::fields(part, visit);
        if (flexible_) tags(part);
    }

    void skip_tags();

private:

    // Visits the fields that stand in order.
    struct Plain {
        Reader& reader;
        void operator()(auto& field, Versions versions = every) {
            if (versions.contain(reader.version_)) reader.field(field, versions, false);
        }
        void tagged(uint32_t, auto&, Versions) {}
    };
    // Visits the one field that carries `tag`.
    struct Tagged {
        Reader& reader;
        uint32_t tag;
        bool known = false;
        void operator()(auto&, Versions = every) {}
        void tagged(uint32_t number, auto& field, Versions versions) {
            if (number != tag || !versions.contain(reader.version_)) return;
            reader.field(field, versions, true);
            known = true;
        }
    };

    template <Part T>
    void tags(T& part) {
        auto count = varint();
        if (count > tags_max) return fail();
        for (; count > 0 && ok(); --count) {
            Tagged visit{*this, varint()};
            size_t size = varint();
            if (size > left()) return fail();
            auto* after = at_ + size;
            T::fields(part, visit);
            if (!ok()) return;
            if (!visit.known) at_ = after;  // A newer peer's field.
            else if (at_ != after) return fail();
        }
    }

    template <class T>
    void field(T& x, Versions versions, bool in_tag) {
        if constexpr (is_optional<T>) {
            if (bool present = nullable(x, in_tag); !present && !versions.allow_null(version_)) fail();
        } else {
            value(x);
        }
    }

    template <class T>
    bool nullable(std::optional<T>& x, bool in_tag) {
        if constexpr (is_counted<T>) {
            auto count = length<T>();
            if (count == -1) { x.reset(); return false; }
            content(x.emplace(), count);
        } else {
            // A struct has a byte before it, or inside a tag a varint: 1 when it is there.
            auto prefix = in_tag ? int32_t(varint()) : number<int8_t>();
            if (prefix == (in_tag ? 0 : -1)) { x.reset(); return false; }
            if (prefix != 1) fail();
            if (ok()) value(x.emplace());
        }
        return true;
    }

    template <class T>
    void value(T& x) {
        if constexpr (is_counted<T>) content(x, length<T>());
        else if constexpr (Part<T>) part(x);
        else if constexpr (std::is_same_v<T, bool>) x = number<int8_t>() != 0;
        else if constexpr (std::is_enum_v<T>) x = T(number<std::underlying_type_t<T>>());
        else if constexpr (std::is_same_v<T, double>) x = std::bit_cast<double>(number<int64_t>());
        else if constexpr (std::is_same_v<T, Offset>) x.value = number<int64_t>();
        else if constexpr (std::is_same_v<T, Timestamp>) x.ms = number<int64_t>();
        else if constexpr (std::is_same_v<T, Uuid>) uuid(x);
        else x = number<T>();
    }

    void content(std::string_view& x, int64_t count) {
        if (count > int64_t(string_bytes_max)) return fail();
        x = as_text(take(count));
    }
    void content(Bytes& x, int64_t count) { x = take(count); }
    void content(Pieces& x, int64_t count) {
        auto piece = arena_.make<Bytes>(1);
        piece[0] = take(count);
        x.list = piece;
    }
    template <class T>
    void content(Array<T>& x, int64_t count) {
        if (count < 0 || count > int64_t(left()) || count > int64_t(elements_max)) return fail();
        auto room = std::min(size_t(count), elements_first);
        if (arena_.used() + room * sizeof(T) > arena_bytes_max) return fail();
        auto elements = arena_.make<T>(room);
        for (size_t i = 0; i < size_t(count) && ok(); ++i) {
            if (i == elements.size()) {
                room = std::min(size_t(count), i * 4);
                if (arena_.used() + room * sizeof(T) > arena_bytes_max) return fail();
                elements = arena_.grow(elements, room);
            }
            value(elements[i]);
        }
        x = elements;
    }
    static constexpr size_t elements_first = 64;

    size_t left() const { return size_t(end_ - at_); }
    Bytes take(int64_t count) {
        if (count < 0 || count > int64_t(left())) { fail(); return {}; }
        auto* from = at_;
        at_ += count;
        return {from, size_t(count)};
    }
    template <class T>
    T number() {
        if (left() < sizeof(T)) { fail(); return 0; }
        auto x = load_be<T>(at_);
        at_ += sizeof(T);
        return x;
    }
    uint32_t varint();
    void uuid(Uuid& x);

    // -1 for null; anything below is nobody's length.
    template <class T>
    int64_t length() {
        if (flexible_) return int64_t(varint()) - 1;
        if constexpr (std::is_same_v<T, std::string_view>) return number<int16_t>();
        else return number<int32_t>();
    }

    void fail() {
        failed_ = true;
        at_ = end_;
    }

    const std::byte* at_;
    const std::byte* end_;
    Arena& arena_;
    int16_t version_;
    bool flexible_;
    bool failed_ = false;
};

}  // namespace rafka::wire
