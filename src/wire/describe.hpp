#pragma once

// Prints a message by visiting its fields; see describe() in message.hpp.

#include "wire/fields.hpp"

#include <cstdint>
#include <string>

namespace rafka::wire {

class Describer {
public:
    explicit Describer(int16_t version) : version_(version) {}

    template <Part T>
    void part(const T& part) {
        open('{');
        Visit visit{*this};
        T::fields(part, visit);
        close('}');
    }
    std::string take() { return std::move(text_); }

private:
    struct Visit {
        Describer& to;
        void operator()(const auto& field, Versions versions = every) {
            if (!versions.contain(to.version_)) return;
            to.next();
            to.field(field);
        }
        void tagged(uint32_t tag, const auto& field, Versions versions) {
            if (!versions.contain(to.version_)) return;
            to.next();
            to.text_ += '#' + std::to_string(tag) + ' ';
            to.field(field);
        }
    };

    template <class T>
    void field(const T& x) {
        if constexpr (is_optional<T>) {
            if (x) value(*x);
            else text_ += "null";
        } else {
            value(x);
        }
    }
    template <class T>
    void value(const T& x) {
        if constexpr (std::is_same_v<T, std::string_view>) string(x);
        else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, Pieces>) bytes(x.size());
        else if constexpr (is_array<T>) {
            open('[');
            for (auto& element : x) {
                next();
                value(element);
            }
            close(']');
        }
        else if constexpr (Part<T>) part(x);
        else if constexpr (std::is_same_v<T, bool>) text_ += x ? "true" : "false";
        else if constexpr (std::is_enum_v<T>) text_ += std::to_string(int64_t(x));
        else if constexpr (std::is_same_v<T, Offset>) text_ += std::to_string(x.value);
        else if constexpr (std::is_same_v<T, Timestamp>) text_ += std::to_string(x.ms);
        else if constexpr (std::is_same_v<T, Uuid>) uuid(x);
        else text_ += std::to_string(x);
    }

    void open(char bracket) { text_ += bracket; }
    void close(char bracket) { text_ += bracket; }
    void next();
    void string(std::string_view x);
    void bytes(size_t size);
    void uuid(const Uuid& x);

    std::string text_;
    int16_t version_;
};

}  // namespace rafka::wire
