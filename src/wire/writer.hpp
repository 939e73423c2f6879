#pragma once

// Writes a message by visiting its fields, in one pass: tagged fields are short, so their size is put before them when
// it is known.

#include "base/assert.hpp"
#include "base/endian.hpp"
#include "base/varint.hpp"
#include "wire/fields.hpp"
#include "wire/payload.hpp"

#include <bit>
#include <cstring>

namespace rafka::wire {

class Writer {
public:
    Writer(Payload& out, int16_t version, bool flexible) : out_(out), version_(version), flexible_(flexible) {}

    template <Part T>
    void part(const T& part) {
        Plain visit{*this};
        T::fields(part, visit);
        if (flexible_) tags(part);
    }

private:

    struct Plain {
        Writer& writer;
        void operator()(const auto& field, Versions versions = every) {
            if (versions.contain(writer.version_)) writer.field(field, versions, false);
        }
        void tagged(uint32_t, const auto&, Versions) {}
    };
    // Visits the tagged fields; those that have their default value are left out.
    template <class T>
    struct Tagged {
        Writer& writer;
        const T& part;
        uint8_t count = 0;
        int64_t last = -1;

        void operator()(const auto&, Versions = every) {}
        template <class F>
        void tagged(uint32_t tag, const F& field, Versions versions) {
            ASSERT(int64_t(tag) > last);
            last = tag;
            if (!versions.contain(writer.version_)) return;
            static constexpr T defaults{};
            // The same member of a T that nobody touched.
            auto offset = reinterpret_cast<const std::byte*>(&field) - reinterpret_cast<const std::byte*>(&part);
            auto& untouched = *reinterpret_cast<const F*>(reinterpret_cast<const std::byte*>(&defaults) + offset);
            if (equal(field, untouched)) return;
            writer.varint(tag);
            auto start = writer.out_.own_size();
            writer.field(field, versions, true);
            writer.size_before(start);
            ++count;
        }
    };

    template <Part T>
    void tags(const T& part) {
        auto place = out_.own_size();
        *out_.extend(1) = std::byte{0};
        Tagged<T> visit{*this, part};
        T::fields(part, visit);
        ASSERT(visit.count < 0x80);
        *out_.at(place) = std::byte(visit.count);
    }

    template <class T>
    static bool equal(const T& a, const T& b) {
        if constexpr (is_array<T>) return a.empty() && b.empty();  // The default of an array is the empty one.
        else if constexpr (is_counted<T> && !std::is_same_v<T, std::string_view>) return a.size() == 0 && b.size() == 0;
        else if constexpr (is_optional<T>) return a.has_value() == b.has_value() && (!a || equal(*a, *b));
        else return a == b;
    }

    template <class T>
    void field(const T& x, Versions versions, bool in_tag) {
        if constexpr (is_optional<T>) {
            using V = typename T::value_type;
            if (!x) ASSERT(versions.allow_null(version_));
            if constexpr (is_counted<V>) {
                if (!x) return length<V>(-1);
            } else {
                if (in_tag) varint(x ? 1 : 0);
                else number(int8_t(x ? 1 : -1));
                if (!x) return;
            }
            value(*x);
        } else {
            value(x);
        }
    }

    template <class T>
    void value(const T& x) {
        if constexpr (std::is_same_v<T, std::string_view>) string(x);
        else if constexpr (std::is_same_v<T, Bytes>) { length<T>(int64_t(x.size())); out_.append(x); }
        else if constexpr (std::is_same_v<T, Pieces>) pieces(x);
        else if constexpr (is_array<T>) {
            length<T>(int64_t(x.size()));
            for (auto& element : x) value(element);
        }
        else if constexpr (Part<T>) part(x);
        else if constexpr (std::is_same_v<T, bool>) number(int8_t(x));
        else if constexpr (std::is_enum_v<T>) number(std::underlying_type_t<T>(x));
        else if constexpr (std::is_same_v<T, double>) number(std::bit_cast<int64_t>(x));
        else if constexpr (std::is_same_v<T, Offset>) number(x.value);
        else if constexpr (std::is_same_v<T, Timestamp>) number(x.ms);
        else if constexpr (std::is_same_v<T, Uuid>) std::memcpy(out_.extend(16), x.bytes.data(), 16);
        else number(x);
    }

    template <class T>
    void number(T x) { store_be(out_.extend(sizeof x), x); }
    void varint(uint32_t x);
    void string(std::string_view x);
    void pieces(const Pieces& x);
    // Puts the number of bytes written since `start` before them.
    void size_before(size_t start);

    template <class T>
    void length(int64_t count) {
        ASSERT(count <= INT32_MAX - 1);
        if (flexible_) return varint(uint32_t(count + 1));
        if constexpr (std::is_same_v<T, std::string_view>) number(int16_t(count));
        else number(int32_t(count));
    }

    Payload& out_;
    int16_t version_;
    bool flexible_;
};

}  // namespace rafka::wire
