#include "choice.h"

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace dragoman {

extern const Kernels baseline;
#ifdef DRAGOMAN_X64
extern const Kernels avx2;
extern const Kernels avx512;
#endif
#ifdef DRAGOMAN_BFLOAT16
extern const Kernels avx512_bf16;
extern const Kernels amx_bf16;
#endif
extern const StepKernels int8_baseline;
#ifdef DRAGOMAN_X64
extern const StepKernels int8_avx2;
#endif
#ifdef DRAGOMAN_VNNI
extern const StepKernels int8_avx512_vnni;
extern const StepKernels int8_amx;
#endif

namespace {

Choice choiceOf(const char* processor, const Kernels& kernels) { return {processor, &kernels, &kernels.steps}; }

Choice forFloat32(int most) {
#ifdef DRAGOMAN_X64
  const bool fma = __builtin_cpu_supports("fma");
  if (most >= AVX512 && fma && __builtin_cpu_supports("avx512f")) return choiceOf("avx512", avx512);
  if (most >= AVX2 && fma && __builtin_cpu_supports("avx2")) return choiceOf("avx2", avx2);
#endif
  static_cast<void>(most);
  return choiceOf("baseline", baseline);
}

/** Whether the system lets this process use AMX's registers, for which it has to be asked. */
[[maybe_unused]] bool mayUseTiles() {
#if defined(DRAGOMAN_X64) && defined(__linux__)
  constexpr int REQUEST_PERMISSION = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr int TILE_DATA = 18;               // XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
  return false;
#endif
}

Choice forBfloat16(int most) {
#ifdef DRAGOMAN_BFLOAT16
  if (most >= AVX512 && __builtin_cpu_supports("avx512bf16")) {
    if (most >= AMX && __builtin_cpu_supports("amx-bf16") && mayUseTiles()) return choiceOf("amx_bf16", amx_bf16);
    return choiceOf("avx512_bf16", avx512_bf16);
  }
#endif
  static_cast<void>(most);
  return {};
}

Choice forInt8(int most) {
  Choice choice = forFloat32(most);
  const auto with = [&](const char* name, const StepKernels& steps) {
    choice.processor += std::string(", ") + name;
    choice.steps = &steps;
    return choice;
  };
#ifdef DRAGOMAN_VNNI
  if (most >= AVX512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) {
    if (most >= AMX && __builtin_cpu_supports("amx-int8") && mayUseTiles()) return with("int8_amx", int8_amx);
    return with("int8_avx512_vnni", int8_avx512_vnni);
  }
#endif
#ifdef DRAGOMAN_X64
  if (most >= AVX2 && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) return with("int8_avx2", int8_avx2);
#endif
  return with("int8_baseline", int8_baseline);
}

Choice current = forFloat32(AMX);

}  // namespace

const Choice& chosen() { return current; }

bool choose(const std::string& products, int most) {
  const Choice choice = products == "bfloat16" ? forBfloat16(most)
                        : products == "int8"   ? forInt8(most)
                                               : forFloat32(most);
  if (choice.kernels == nullptr) return false;
  current = choice;
  return true;
}

}  // namespace dragoman
