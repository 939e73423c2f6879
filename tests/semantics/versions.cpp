// ApiVersions and DescribeCluster.

#include "semantics/scenarios.hpp"
#include "semantics/script.hpp"

namespace rafka::semantics {

void api_versions(Script& s) {
    ApiVersionsRequest request{.client_software_name = "script", .client_software_version = "1.0"};
    for (int16_t version = 0; version <= 4; ++version) s.ask("what is served", request, version);

    for (auto name : {"", "-x", "x-", "a b", "a.b-c", "A1", "ä", "a_b"}) {
        request.client_software_name = name;
        s.ask("software name \"" + std::string(name) + '"', request, 3);
    }
    request.client_software_name = "script";
    for (auto version : {"", ".1", "1.", "1 0", "v1.0-rc"}) {
        request.client_software_version = version;
        s.ask("software version \"" + std::string(version) + '"', request, 4);
    }
    // Answered in the form of version 0, whatever follows.
    for (int16_t version : {int16_t(5), int16_t(77), int16_t(32767)}) {
        std::byte body[3] = {};
        s.client().send(s.frame(18, version, version == 77 ? Bytes() : Bytes(body)));
        s.take<ApiVersionsRequest>(s.client(), "unsupported " + std::to_string(version), 0);
    }
    request.client_software_version = "1.0";
    s.ask("again, later on", request, 4);
}

void cluster(Script& s) {
    DescribeClusterRequest request;
    s.ask_each("brokers", request);
    request.include_cluster_authorized_operations = true;
    s.ask_each("with operations", request);
    request.include_fenced_brokers = true;
    s.ask("with fenced ones", request, 2);
    for (int type : {0, 2, 3, -1, 127}) {
        request.endpoint_type = int8_t(type);
        s.ask("endpoint type " + std::to_string(type), request, 1);
        s.ask("endpoint type " + std::to_string(type), request, 2);
    }
}

}  // namespace rafka::semantics
