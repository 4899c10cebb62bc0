// TLS of the programs that measure: theirs if JOBTAIL_BENCH_TLS names a folder of files.
#ifndef JOBTAIL_BENCH_TLS_FILES_H_
#define JOBTAIL_BENCH_TLS_FILES_H_

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace jobtail::bench {

// The folder has ca.pem, and server.pem, server.key, client.pem and client.key, which are of it.
inline std::string TlsFile(const std::string& name) {
  const char* const folder = std::getenv("JOBTAIL_BENCH_TLS");
  if (folder == nullptr) return "";
  std::ifstream file(std::string(folder) + "/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::shared_ptr<grpc::ChannelCredentials> ClientCredentials() {
  const std::string ca = TlsFile("ca.pem");
  if (ca.empty()) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({ca, TlsFile("client.key"), TlsFile("client.pem")});
}

inline std::shared_ptr<grpc::ServerCredentials> ServerCredentials() {
  const std::string ca = TlsFile("ca.pem");
  if (ca.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = ca;
  options.pem_key_cert_pairs.push_back({TlsFile("server.key"), TlsFile("server.pem")});
  return grpc::SslServerCredentials(options);
}

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_TLS_FILES_H_
