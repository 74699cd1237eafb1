// Work on a few rows, alone or shared.
#pragma once
#include "team.h"

namespace dragoman {
namespace {

/** Multiplications from which to share them takes less time than they do: a thread that has just worked is awake. */
constexpr double SHARED_STEP = 1e5;

/** Does all pieces, alone or with others. @param work takes the thread's number and the piece's */
template <typename Work>
void runStep(double multiplications, long pieces, const Work& work) {
  if (multiplications >= SHARED_STEP) return share(pieces, [&](const Member& member, long p) { work(member.index, p); });
  for (long piece = 0; piece < pieces; piece++) work(0, piece);
}

}  // namespace
}  // namespace dragoman
