#pragma once

// Metadata records of nodes, features and metadata transactions.

#include "protocol/records/record.hpp"

namespace rafka::protocol {

struct EndpointRecord {  // Part of a registration.
    std::string_view name;
    std::string_view host;
    uint16_t port = 0;
    int16_t security_protocol = 0;

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.host);
        f(self.port);
        f(self.security_protocol);
    }
};

struct FeatureRangeRecord {  // Part of a registration: what the node supports.
    std::string_view name;
    int16_t min_supported_version = 0;
    int16_t max_supported_version = 0;

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.min_supported_version);
        f(self.max_supported_version);
    }
};

struct RegisterBrokerRecord {
    static constexpr auto schema = stored(0, 4);

    int32_t broker_id = 0;
    bool is_migrating_zk_broker = false;
    Uuid incarnation_id;
    int64_t broker_epoch = 0;
    Array<EndpointRecord> end_points;
    Array<FeatureRangeRecord> features;
    std::optional<std::string_view> rack;
    bool fenced = true;
    bool in_controlled_shutdown = false;
    Array<Uuid> log_dirs;
    std::optional<Array<Uuid>> cordoned_log_dirs;

    static void fields(auto& self, auto& f) {
        f(self.broker_id);
        f(self.is_migrating_zk_broker, since(2));
        f(self.incarnation_id);
        f(self.broker_epoch);
        f(self.end_points);
        f(self.features);
        f(self.rack);
        f(self.fenced);
        f(self.in_controlled_shutdown, since(1));
        f.tagged(0, self.log_dirs, since(3));
        f.tagged(1, self.cordoned_log_dirs, since(4));
    }
};

struct UnregisterBrokerRecord {
    static constexpr auto schema = stored(1);

    int32_t broker_id = 0;
    int64_t broker_epoch = 0;

    static void fields(auto& self, auto& f) {
        f(self.broker_id);
        f(self.broker_epoch);
    }
};

struct FenceBrokerRecord {
    static constexpr auto schema = stored(7);

    int32_t id = 0;
    int64_t epoch = 0;

    static void fields(auto& self, auto& f) {
        f(self.id);
        f(self.epoch);
    }
};

struct UnfenceBrokerRecord {
    static constexpr auto schema = stored(8);

    int32_t id = 0;
    int64_t epoch = 0;

    static void fields(auto& self, auto& f) {
        f(self.id);
        f(self.epoch);
    }
};

struct BrokerRegistrationChangeRecord {
    static constexpr auto schema = stored(17, 3);

    int32_t broker_id = 0;
    int64_t broker_epoch = 0;
    int8_t fenced = 0;                  // -1 unfenced, 0 no change, 1 fenced.
    int8_t in_controlled_shutdown = 0;  // 0 no change, 1 in shutdown.
    Array<Uuid> log_dirs;               // Empty: no change.
    std::optional<Array<Uuid>> cordoned_log_dirs;

    static void fields(auto& self, auto& f) {
        f(self.broker_id);
        f(self.broker_epoch);
        f.tagged(0, self.fenced, every);
        f.tagged(1, self.in_controlled_shutdown, since(1));
        f.tagged(2, self.log_dirs, since(2));
        f.tagged(3, self.cordoned_log_dirs, since(3));
    }
};

struct RegisterControllerRecord {
    static constexpr auto schema = stored(27);

    int32_t controller_id = 0;
    Uuid incarnation_id;
    bool zk_migration_ready = false;
    Array<EndpointRecord> end_points;
    Array<FeatureRangeRecord> features;

    static void fields(auto& self, auto& f) {
        f(self.controller_id);
        f(self.incarnation_id);
        f(self.zk_migration_ready);
        f(self.end_points);
        f(self.features);
    }
};

struct FeatureLevelRecord {
    static constexpr auto schema = stored(12);

    std::string_view name;
    int16_t feature_level = 0;  // 0: not finalized.

    static void fields(auto& self, auto& f) {
        f(self.name);
        f(self.feature_level);
    }
};

struct NoOpRecord {
    static constexpr auto schema = stored(20);

    static void fields(auto&, auto&) {}
};

struct ZkMigrationStateRecord {
    static constexpr auto schema = stored(21);

    int8_t zk_migration_state = 0;

    static void fields(auto& self, auto& f) { f(self.zk_migration_state); }
};

struct BeginTransactionRecord {
    static constexpr auto schema = stored(23);

    std::optional<std::string_view> name;

    static void fields(auto& self, auto& f) { f.tagged(0, self.name, every); }
};

struct EndTransactionRecord {
    static constexpr auto schema = stored(24);

    static void fields(auto&, auto&) {}
};

struct AbortTransactionRecord {
    static constexpr auto schema = stored(25);

    std::optional<std::string_view> reason;

    static void fields(auto& self, auto& f) { f.tagged(0, self.reason, every); }
};

}  // namespace rafka::protocol
