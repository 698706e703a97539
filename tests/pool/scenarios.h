/* The scenarios, and what they share.  Which version runs which of them is
 * said in main.c. */
#ifndef SCENARIOS_H
#define SCENARIOS_H

#include "face.h"

/* start.c */
void test_start_pool_is_ready (void);
void test_start_tree_has_names (void);
void test_start_worker_is_required (void);
void test_start_size_has_limits (void);
void test_start_twice_exists (void);
void test_start_many_at_once_one_wins (void);
void test_start_first_worker_fails (void);
void test_start_middle_worker_fails (void);
void test_start_last_worker_fails (void);
void test_start_outlives_its_thread (void);
void test_start_outlives_its_killed_process (void);
void test_start_many_workers (void);

/* checkout.c */
void test_checkout_idle_worker_is_lent (void);
void test_checkout_same_worker_comes_back (void);
void test_checkout_last_in_is_first_out (void);
void test_checkout_each_worker_once (void);
void test_checkout_full (void);
void test_checkout_one_worker_one_consumer (void);
void test_checkout_without_pool_is_down (void);

/* checkin.c */
void test_checkin_twice_is_ignored (void);
void test_checkin_after_it_was_lent_again_is_ignored (void);
void test_checkin_of_no_worker_is_ignored (void);
void test_checkin_of_an_earlier_pool_is_ignored (void);
void test_checkin_by_a_thread_is_ignored (void);
void test_checkin_by_a_task_is_ignored (void);
void test_checkin_by_a_server_is_ignored (void);
void test_checkin_of_a_server_s_own (void);
void test_checkin_without_pool_is_ignored (void);
void test_checkin_leaves_nothing_behind (void);

/* status.c */
void test_status_adds_up_at_every_step (void);
void test_status_adds_up_under_load (void);
void test_status_without_pool_is_down (void);

/* stop.c */
void test_stop_ends_every_worker_once (void);
void test_stop_ends_a_worker_at_work (void);
void test_stop_waits_for_a_handler (void);
void test_stop_without_pool (void);
void test_stop_and_start_again (void);
void test_stop_and_start_by_many (void);
void test_stop_under_load (void);

/* steps.c */
void test_steps_of_consumers_deaths (void);

/* kill.c */
void test_kill_server_comes_back_fresh (void);
void test_kill_server_under_load (void);
void test_kill_server_while_it_starts_workers (void);
void test_kill_top_leaves_nothing (void);

/* sample.c */
void test_sample_worker_digest (void);
void test_sample_worker_digest_of_no_file (void);
void test_sample_worker_digest_of_a_directory (void);
void test_sample_worker_digest_that_breaks_off (void);
void test_sample_worker_digests_by_many (void);
void test_sample_worker_work_takes_its_time (void);
void test_sample_worker_killed_at_work (void);
void test_sample_worker_stops_after_its_work (void);
void test_sample_worker_crashes_after_its_work (void);

/* holes.c */
void test_consumer_death_worker_is_lost (void);
void test_worker_death_dead_one_is_lent (void);
void test_worker_death_new_one_is_never_lent (void);
void test_worker_supervisor_death_dead_ones_are_lent (void);
void test_worker_supervisor_death_pool_stays_empty (void);
void test_worker_death_without_replacement (void);

/* consumer_death.c */
void test_consumer_death_thread_ends (void);
void test_consumer_death_task_returns (void);
void test_consumer_death_process_returns (void);
void test_consumer_death_process_exits (void);
void test_consumer_death_process_is_killed (void);
void test_consumer_death_server_crashes (void);
void test_consumer_death_only_its_own_come_back (void);
void test_consumer_death_after_its_check_in (void);
void test_consumer_death_after_it_was_lent_again (void);
void test_consumer_death_of_thousands (void);

/* worker_death.c */
void test_worker_death_busy_one_is_replaced (void);
void test_worker_death_idle_one_is_replaced (void);
void test_worker_death_dead_one_is_not_lent (void);
void test_worker_death_consumer_is_told (void);
void test_worker_death_late_checkin_is_ignored (void);
void test_worker_death_then_consumer_death (void);
void test_worker_death_all_at_once (void);
void test_worker_death_again_and_again (void);
void test_worker_death_leaves_nothing_behind (void);

/* strangers.c */
void test_stranger_exit_is_ignored (void);
void test_stranger_consumer_s_exit_is_ignored (void);
void test_stranger_forged_down_is_ignored (void);
void test_stranger_forged_exit_is_ignored (void);
void test_stranger_unknown_message_is_ignored (void);

/* races.c */
void test_race_consumer_dies_at_checkout (void);
void test_race_consumer_dies_at_checkin (void);
void test_race_checkin_then_die (void);
void test_race_worker_dies_at_checkout (void);
void test_race_worker_dies_at_checkin (void);
void test_race_idle_worker_dies_while_lent (void);
void test_race_replacement_takes_its_time (void);
void test_race_new_worker_dies (void);
void test_race_all_workers_die_at_once (void);
void test_race_consumer_and_worker_die_together (void);
void test_race_stranger_sends_exit (void);
void test_race_stranger_calls (void);
void test_race_worker_dies_at_stop (void);
void test_race_server_dies_at_checkout (void);
void test_race_random_operations (void);

#if POOLY_VERSION >= 3

/* pools.c */
void test_pools_each_serves_its_own (void);
void test_pools_supervisors_are_known_as_such (void);
void test_pools_lend_independently (void);
void test_pools_all_hear_of_a_consumer_s_death (void);
void test_pools_none_to_begin_with (void);
void test_pools_long_names (void);
void test_pools_configs_are_copied (void);
void test_pools_one_with_a_worker_that_fails (void);
void test_pools_one_with_a_wrong_field (void);
void test_pools_two_of_one_name (void);
void test_pools_built_names_clash (void);
void test_pools_built_names_clash_with_pooly (void);

/* pools_later.c */
void test_later_one_more_starts (void);
void test_later_one_stops (void);
void test_later_first_one_stops (void);
void test_later_all_threads_notice (void);
void test_later_name_is_unknown (void);
void test_later_name_is_taken (void);
void test_later_field_is_wrong (void);
void test_later_worker_fails (void);
void test_later_without_pooly_is_down (void);
void test_later_workers_are_told_to_stop (void);
void test_later_stop_ends_a_call (void);
void test_later_stop_ends_a_checkout (void);

/* pools_many.c */
void test_many_starts_and_stops_under_load (void);
void test_many_start_one_name (void);
void test_many_start_and_stop (void);
void test_many_at_once (void);
void test_many_late_server_is_not_kept (void);
void test_many_names_are_not_kept (void);

/* walls.c */
void test_walls_worker (void);
void test_walls_worker_supervisor (void);
void test_walls_pool_server (void);
void test_walls_pool_supervisor (void);
void test_walls_pools_supervisor (void);
void test_walls_pooly_server (void);
void test_walls_stopped_pool_comes_back (void);
void test_walls_others_come_back_meanwhile (void);
void test_walls_worker_under_load (void);
void test_walls_worker_supervisor_under_load (void);
void test_walls_pool_server_under_load (void);
void test_walls_pool_supervisor_under_load (void);
void test_walls_pools_supervisor_under_load (void);
void test_walls_pooly_server_under_load (void);
void test_walls_top_and_start_at_once (void);

/* limits.c */
void test_race_limit_of_pool_servers (void);
void test_race_limit_of_worker_supervisors (void);
void test_limit_of_pool_supervisors (void);
void test_race_limit_is_each_pool_s_own (void);
void test_race_limit_is_not_for_workers (void);
void test_race_limit_of_pooly_servers (void);
void test_limit_of_pools_supervisors (void);
void test_limit_of_pool_supervisors_reaches_the_top (void);
void test_limit_of_pool_servers_reaches_the_top (void);
void test_race_top_is_killed (void);

/* pool_races.c */
void test_race_worker_of_one_pool_dies (void);
void test_race_worker_supervisor_dies (void);
void test_race_pool_server_dies (void);
void test_race_pool_supervisor_dies (void);
void test_race_pools_supervisor_dies (void);
void test_race_pooly_server_dies (void);
void test_race_random_operations_on_pools (void);

/* pool_start_races.c */
void test_race_start_then_checkout (void);
void test_race_one_name_is_started_twice (void);
void test_race_built_names_clash (void);
void test_race_server_dies_at_start (void);
void test_race_worker_supervisor_dies_at_start (void);
void test_race_supervisor_dies_at_start (void);
void test_race_death_while_all_rise (void);
void test_race_checkout_at_stop (void);
void test_race_death_at_stop (void);
void test_race_stop_takes_its_time (void);
void test_race_stop_while_all_fall (void);
void test_race_stop_after_the_top_s_death (void);

#else

/* pools.c */
void test_pools_face_is_version_3 (void);

#endif

#if POOLY_VERSION >= 4

/* overflow.c */
void test_overflow_grows_up_to_its_limit (void);
void test_overflow_comes_back_to_zero (void);
void test_overflow_of_none (void);
void test_overflow_worker_dies (void);
void test_overflow_consumer_dies (void);
void test_overflow_worker_fails (void);
void test_overflow_worker_fails_who_would_wait (void);
void test_overflow_checkin_does_not_wait (void);
void test_strategy_lifo (void);
void test_strategy_fifo (void);
void test_strategy_fifo_from_the_first (void);
void test_overflow_field_is_wrong (void);
void test_overflow_field_is_right (void);
void test_overflow_leaves_nothing_behind (void);
void test_race_kept_and_dismissed (void);
void test_race_kept_is_lent_again (void);
void test_race_kept_until_its_time_is_over (void);
void test_race_kept_anew (void);
void test_race_kept_for_good (void);
void test_race_kept_is_taken_at_its_time (void);

/* waiting.c */
void test_race_wait_idle_worker_is_lent (void);
void test_race_wait_first_come_first_served (void);
void test_race_wait_for_overflow (void);
void test_race_wait_first_come_whoever_dies (void);
void test_race_wait_worker_dies (void);
void test_race_wait_owner_dies_while_it_waits (void);
void test_race_wait_time_is_over (void);
void test_race_wait_not_at_all (void);
void test_race_wait_again (void);
void test_race_wait_pool_is_stopped (void);
void test_race_wait_all_is_stopped (void);
void test_race_wait_server_is_killed (void);
void test_waiting_limit_holds_while_a_worker_starts (void);
void test_waiting_limit_holds_while_its_own_worker_starts (void);
void test_waiting_next_one_gets_what_was_started (void);
void test_waiting_nothing_is_started_for_the_gone (void);
void test_waiting_leaves_nothing_behind (void);

/* transactions.c */
void test_transaction_result_is_handed_through (void);
void test_transaction_fails (void);
void test_transaction_without_worker (void);
void test_transaction_of_two_pools (void);
void test_transaction_of_one_pool_twice (void);
void test_transaction_whose_thread_ends (void);
void test_race_transaction_is_killed (void);
void test_race_transaction_whose_worker_dies (void);
void test_loan_ends_with_its_block (void);
void test_loan_is_cleared_twice (void);
void test_loan_without_worker (void);

/* healing.c */
void test_race_healing_pool_lives_on (void);
void test_race_healing_idle_worker_dies (void);
void test_race_healing_is_not_tried_in_between (void);
void test_race_healing_waiters_are_served (void);
void test_race_healing_waiter_is_served_by_another_s (void);
void test_race_healing_nobody_waits_any_more (void);
void test_healing_is_not_for_the_start (void);
void test_race_healing_tries_again_later_and_later (void);
void test_race_healing_starts_over_when_none_is_missing (void);
void test_race_healing_after_the_server_s_death (void);

/* gone.c */
void test_gone_dead_worker_is_not_lent (void);
void test_gone_dead_worker_is_not_handed_on (void);
void test_gone_idle_one_keeps_its_place (void);
void test_race_gone_limit_while_one_is_replaced (void);
void test_race_gone_limit_while_the_idle_one_dies (void);
void test_race_gone_checkin_of_one_at_work (void);
void test_race_gone_checkin_at_stop (void);
void test_gone_without_a_word (void);
void test_gone_lent_one_does_not_expire (void);

/* model.c */
void test_race_model (void);

/* waiting_races.c */
void test_race_time_is_over_at_checkin (void);
void test_race_time_is_over_at_worker_s_death (void);
void test_race_time_is_over_while_overflow_starts (void);
void test_race_waiter_dies_at_checkin (void);
void test_race_waiter_dies_at_worker_s_death (void);
void test_race_waiter_dies_when_its_time_is_over (void);
void test_race_all_of_them_die (void);
void test_race_wait_again_and_again (void);
void test_race_first_come_first_served (void);
void test_race_pool_is_stopped_while_they_wait (void);
void test_race_all_is_stopped_while_they_wait (void);
void test_race_server_dies_while_they_wait (void);
void test_race_worker_supervisor_dies_while_they_wait (void);
void test_race_random_operations_and_waiting (void);

/* lending_load.c */
void test_load_of_short_workers (void);
void test_load_of_long_workers (void);

/* steps.c */
void test_steps_of_waiters_leaving (void);

#else

/* overflow.c */
void test_overflow_face_is_version_4 (void);

#endif

/* shared.c: a worker that counts its lives */

#define LIVES_FAULT "out of order"

/**
 * Lives:
 * @n_begun: how often init was called
 * @n_over: how many of those were finalized
 * @fails_at: the number of the init that fails with %LIVES_FAULT; 0: none
 * @n_to_fail: how many of the next ones fail, too; -1: all
 *
 * What such workers have for args.  Make it `static`, and set it anew in each
 * test.
 */
typedef struct {
  gint n_begun; /* atomic */
  gint n_over;  /* atomic */
  gint fails_at;
  gint n_to_fail; /* atomic */
} Lives;

/* The same twice: one runs on the thread that starts or ends it, one never.
 * They answer every call with LIVES_ANSWER. */
enum { LIVES_ANSWER = 1 };
extern const GenServerClass short_mortal_class;
extern const GenServerClass mortal_class;

#define assert_lives(lives, n) \
  do { \
    g_assert_cmpint (g_atomic_int_get (&(lives)->n_begun), ==, n); \
    g_assert_cmpint (g_atomic_int_get (&(lives)->n_over), ==, n); \
  } while (0)

/* simulated.c: in place of threads and limits */

/* A function as a process, which the trace calls by that name. */
Pid spawn (const char *name, ProcessFunc func, gpointer data);

/* Somebody who ends it at some time from now on. */
Pid spawn_killer (Pid victim);

/* Until it has ended; then all have been told who watch it. */
void wait_for (Pid pid);

/* Until there is nobody else, and nothing is left to finalize. */
void wait_for_all (void);

/* And then nobody else is left either, such as a consumer. */
void stop_simulated (void);

/* The pool's server does not wait for anybody on a thread that it was lent. */
void assert_server_waits_on_its_own (void);

/* shared.c: asking the pool */

/* A pool of workers of one's own, which must be had. */
#define start_pool(klass, args, size) \
  do { \
    g_autoptr (GError) error_ = NULL; \
    face_start_with (klass, args, size, &error_); \
    g_assert_no_error (error_); \
  } while (0)

/* A worker, which must be had. */
#define take() take_at (__FILE__, __LINE__, G_STRFUNC)
Pid take_at (const char *file, int line, const char *func);

/* The other way round: it must fail, and for that reason. */
#define assert_not_taken(why) \
  do { \
    g_autoptr (GError) error_ = NULL; \
    g_assert_cmpuint (face_checkout (&error_), ==, PID_NONE); \
    g_assert_error (error_, POOLY_ERROR, why); \
  } while (0)

#define assert_status(n_idle, n_busy) \
  do { \
    g_autoptr (GError) error_ = NULL; \
    PoolyStatus status = { 0 }; \
    face_status (&status, &error_); \
    g_assert_no_error (error_); \
    g_assert_cmpuint (status.idle, ==, n_idle); \
    g_assert_cmpuint (status.busy, ==, n_busy); \
  } while (0)

/* No process but this one, and no name. */
#define assert_nothing_is_left() \
  do { \
    g_autoptr (GArray) list_ = process_list (); \
    g_assert_cmpuint (list_->len, <=, 1); \
    g_assert_cmpuint (process_whereis (FACE_TOP), ==, PID_NONE); \
    g_assert_cmpuint (process_whereis (FACE_SERVER), ==, PID_NONE); \
    g_assert_cmpuint (process_whereis (FACE_WORKER_SUPERVISOR), ==, PID_NONE); \
  } while (0)

/* All that an idle pool has: each is alive, each is lent once, and then the pool
 * is full. */
void take_all (Pid *workers, guint size);
void check_in_all (const Pid *workers, guint n_workers);

/* shared.c: others */

gboolean is_among (Pid pid, const Pid *pids, guint n_pids);

/* Those that are alive; known when it is done with what it has heard before. */
guint count_children (const char *supervisor);

/* The reason of those who die by accident. */
Reason crash (void);

/* For what nobody is told of: asks again and again, until the limit. */
#define wait_until(condition) \
  do { \
    gint64 deadline_ = g_get_monotonic_time () \
                       + test_limit () * G_TIME_SPAN_MILLISECOND; \
    while (!(condition)) { \
      if (g_get_monotonic_time () > deadline_) \
        g_assertion_message (G_LOG_DOMAIN, __FILE__, __LINE__, G_STRFUNC, \
                             "was never true: " #condition); \
      g_thread_yield (); \
    } \
  } while (0)

/* Ends a process, and waits until everybody has been told of it. */
void kill_and_wait (Pid pid);

/* Runs a function on that many threads at once, until all are done. */
void run_threads (guint n_threads, GThreadFunc func, gpointer data);

/**
 * Work:
 * @is_done: what sample_worker_work_for() has returned
 * @error: (nullable) (owned): its error
 *
 * A thread that has a SampleWorker work.
 */
typedef struct {
  Pid      worker;
  guint    duration_ms;
  gboolean is_done;
  GError  *error;
  GThread *thread;
  gint     is_over; /* atomic */
} Work;

/* Returns when the worker is at work, or was. */
void work_begin (Work *work, Pid worker, guint duration_ms);

/* Returns when its thread has ended. */
void work_end (Work *work);

/* Consumers that borrow and give back, while there is a pool and while there is
 * none, from load_begin() to load_end().  A check-out must end in a worker, or
 * in an error that may_fail_so(). */
void load_begin (void);
void load_end (void);

/* How many workers they were lent so far. */
guint load_count (void);

/* Whether a check-out may end so while the pool is being started, stopped or
 * healed. */
gboolean may_fail_so (const GError *error);

/* The same of a pool that is started, or stopped, meanwhile. */
gboolean may_be_unknown (const GError *error);

#endif
