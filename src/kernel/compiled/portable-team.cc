// The work of WebAssembly's only thread: what team.cc is to the native kernels.
#include "portable-call.h"
#include "team.h"

namespace dragoman {

void Member::meet() const {}

int threadCount() { return 1; }

void alone(const std::function<void(const Member&)>& work) { work(Member(0, 1, nullptr, nullptr)); }

void together(const std::function<void(const Member&)>& work) { alone(work); }

void share(long pieces, const std::function<void(const Member&, long)>& work) {
  alone([&](const Member& member) {
    for (long piece = 0; piece < pieces; piece++) work(member, piece);
  });
}

float* scratch(long floats) {
  static float* start = nullptr;
  static long size = 0;
  if (size < floats) {
    std::free(start);
    start = static_cast<float*>(allocate(floats * static_cast<long>(sizeof(float))));
    if (start == nullptr) std::abort();  // a trap, which JavaScript throws
    size = floats;
  }
  return start;
}

}  // namespace dragoman
