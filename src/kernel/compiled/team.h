// Threads that work on one operation together.
#pragma once
#include <atomic>
#include <functional>

namespace dragoman {

/** One of the threads at work, as the work sees it. */
class Member {
 public:
  Member(int index, int count, std::atomic<int>* arrived, std::atomic<int>* phase)
      : index(index), count(count), arrived_(arrived), phase_(phase) {}

  const int index;
  const int count;

  /** Waits until all are here. */
  void meet() const;

  /** The first of `all` items that this one has; those up to the next one's first are its own. */
  long from(long all) const { return all * index / count; }
  long to(long all) const { return all * (index + 1) / count; }

 private:
  std::atomic<int>* const arrived_;
  std::atomic<int>* const phase_;
};

/** How many may work together. To be set before any work. */
void setThreads(int count);
int threadCount();

/**
 * Runs the work in this thread and others at once. Where they are busy with other work, in this one alone: so it must
 * come to the same whatever the count.
 */
void together(const std::function<void(const Member&)>& work);

/** Has pieces of work done by this thread and by others as far as they come in time; in any order. */
void share(long pieces, const std::function<void(const Member&, long piece)>& work);

/** The same as {@link together} in this thread alone. */
void alone(const std::function<void(const Member&)>& work);

/** Memory for the inside of an operation, `floats` aligned to 64 bytes, this thread's until its next call. */
float* scratch(long floats);

}  // namespace dragoman
