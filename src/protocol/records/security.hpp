#pragma once

// Metadata records of credentials, tokens and access control.

#include "protocol/records/record.hpp"

namespace rafka::protocol {

struct DelegationTokenRecord {
    static constexpr auto schema = stored(10);

    std::string_view owner;
    std::string_view requester;
    Array<std::string_view> renewers;
    Timestamp issue_timestamp;
    Timestamp max_timestamp;
    Timestamp expiration_timestamp;
    std::string_view token_id;

    static void fields(auto& self, auto& f) {
        f(self.owner);
        f(self.requester);
        f(self.renewers);
        f(self.issue_timestamp);
        f(self.max_timestamp);
        f(self.expiration_timestamp);
        f(self.token_id);
    }
};

struct RemoveDelegationTokenRecord {
    static constexpr auto schema = stored(26);

    std::string_view token_id;

    static void fields(auto& self, auto& f) { f(self.token_id); }
};

struct UserScramCredentialRecord {
    static constexpr auto schema = stored(11);

    std::string_view name;
    int8_t mechanism = 0;  // 1 SHA-256, 2 SHA-512.
    Bytes salt;
    Bytes stored_key;
    Bytes server_key;
    int32_t iterations = 0;

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.mechanism);
        f(self.salt);
        f(self.stored_key);
        f(self.server_key);
        f(self.iterations);
    }
};

struct RemoveUserScramCredentialRecord {
    static constexpr auto schema = stored(22);

    std::string_view name;
    int8_t mechanism = 0;

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.mechanism);
    }
};

struct AccessControlEntryRecord {
    static constexpr auto schema = stored(18);

    Uuid id;
    int8_t resource_type = 0;
    std::string_view resource_name;
    int8_t pattern_type = 0;
    std::string_view principal;
    std::string_view host;
    int8_t operation = 0;
    int8_t permission_type = 0;

    static void fields(auto& self, auto& f) {
        f(self.id);
        f(self.resource_type);
        f(self.resource_name);
        f(self.pattern_type);
        f(self.principal);
        f(self.host);
        f(self.operation);
        f(self.permission_type);
    }
};

struct RemoveAccessControlEntryRecord {
    static constexpr auto schema = stored(19);

    Uuid id;

    static void fields(auto& self, auto& f) { f(self.id); }
};

}  // namespace rafka::protocol
