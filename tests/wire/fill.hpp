#pragma once

// Fills a message at random: edge values, nulls where the version has them, empty, short and long arrays. One seed, one
// message. Fields that the version does not know keep their defaults, as a reader would leave them.

#include "wire/arena.hpp"
#include "wire/fields.hpp"

#include <bit>
#include <limits>
#include <random>
#include <string>

namespace rafka::wire {

class Filler {
public:
    Filler(uint64_t seed, Arena& arena, int16_t version) : random_(seed), arena_(arena), version_(version) {
        // Now and then everything is empty, or one array is long.
        style_ = Style(draw(8));
    }

    template <Part T>
    void part(T& part) {
        Visit visit{*this};
        ++depth_;
        T::fields(part, visit);
        --depth_;
    }

private:
    enum class Style { empty, long_array, edges, plain };

    struct Visit {
        Filler& filler;
        void operator()(auto& field, Versions versions = every) {
            if (versions.contain(filler.version_)) filler.field(field, versions);
        }
        // Tagged fields keep their default half of the time.
        void tagged(uint32_t, auto& field, Versions versions) {
            if (versions.contain(filler.version_) && filler.draw(2)) filler.field(field, versions);
        }
    };

    template <class T>
    void field(T& x, Versions versions) {
        if constexpr (is_optional<T>) {
            if (versions.allow_null(version_) && draw(3) == 0) x.reset();
            else value(x.emplace());
        } else {
            value(x);
        }
    }

    template <class T>
    void value(T& x) {
        if constexpr (std::is_same_v<T, std::string_view>) x = string();
        else if constexpr (std::is_same_v<T, Bytes>) x = as_bytes(bytes());
        else if constexpr (std::is_same_v<T, Pieces>) {
            auto pieces = arena_.make<Bytes>(draw(4));
            for (auto& piece : pieces) piece = as_bytes(bytes());
            x.list = pieces;
        } else if constexpr (is_array<T>) {
            auto elements = arena_.make<std::remove_const_t<typename T::element_type>>(length());
            for (auto& element : elements) value(element);
            x = elements;
        }
        else if constexpr (Part<T>) part(x);
        else if constexpr (std::is_same_v<T, bool>) x = draw(2);
        else if constexpr (std::is_enum_v<T>) x = T(number<std::underlying_type_t<T>>());
        else if constexpr (std::is_same_v<T, double>) x = real();
        else if constexpr (std::is_same_v<T, Offset>) x.value = number<int64_t>();
        else if constexpr (std::is_same_v<T, Timestamp>) x.ms = number<int64_t>();
        else if constexpr (std::is_same_v<T, Uuid>) {
            if (draw(4)) for (auto& byte : x.bytes) byte = std::byte(random_());
        }
        else x = number<T>();
    }

    size_t draw(size_t bound) { return size_t(random_() % bound); }

    template <class T>
    T number() {
        using Limits = std::numeric_limits<T>;
        switch (draw(8)) {
            case 0: return 0;
            case 1: return T(-1);
            case 2: return Limits::max();
            case 3: return Limits::min();
            case 4: return T(draw(100));
            default: return T(random_() >> draw(64));
        }
    }
    double real() {
        constexpr double edges[] = {0.0, -0.0, 1.5, -1e308, 5e-324, std::numeric_limits<double>::infinity()};
        return edges[draw(std::size(edges))];
    }
    size_t length() {
        if (style_ == Style::empty) return 0;
        if (style_ == Style::long_array && depth_ == 1) return draw(300);  // Compact lengths of two bytes as well.
        return draw(4);
    }
    std::string_view string() {
        constexpr std::string_view pieces[] = {"a", "topic", "-", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa6\x80", "\"", "0"};
        size_t count = draw(6);
        if (draw(30) == 0) count = draw(200);
        std::string text;
        for (; count > 0; --count) text += pieces[draw(std::size(pieces))];
        if (draw(500) == 0) text.assign(string_bytes_max, 'x');
        return arena_.copy(text);
    }
    std::string_view bytes() {
        size_t count = draw(20) == 0 ? draw(1000) : draw(12);
        std::string text;
        for (; count > 0; --count) text += char(random_());
        return arena_.copy(text);
    }

    std::mt19937_64 random_;
    Arena& arena_;
    int16_t version_;
    Style style_{};
    int depth_ = 0;
};

}  // namespace rafka::wire
