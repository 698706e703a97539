#!/usr/bin/env escript
%% The same cases as pooly.c's, by the same method, with Erlang's own poolboy.
%% The escript is the workers' module, too.
%%
%%   poolboy.escript --list    the names of its cases
%%   poolboy.escript CASE      measures one of them, and prints a number
-module(poolboy_bench).
-mode(compile).
-behaviour(gen_server).
-export([start_link/1, init/1, handle_call/3, handle_cast/2]).

-define(POOL, bench).
-define(SIZE, 10).

cases() ->
    [{"check-out + check-in, 1 client", fun checkouts/1, 1},
     {"check-out + check-in, 2 clients", fun checkouts/1, 2},
     {"check-out + check-in, 4 clients", fun checkouts/1, 4},
     {"check-out + check-in, 10 clients", fun checkouts/1, 10},
     {"check-out + check-in, 16 clients", fun waiting_checkouts/1, 16},
     {"check-out + check-in, 64 clients", fun waiting_checkouts/1, 64},
     {"waiting check-out, 64 clients: median", fun latency/1, 50},
     {"waiting check-out, 64 clients: 99 %", fun latency/1, 99},
     {"waiting check-out, 64 clients: max", fun latency/1, 100},
     {"transaction with a call", fun transactions/1, 200000},
     {"start of a worker, pool of 100", fun start/1, 100},
     {"start of a worker, pool of 1 000", fun start/1, 1000},
     {"start of a worker, pool of 10 000", fun start/1, 10000},
     {"memory of a worker, pool of 10 000", fun memory/1, 10000},
     {"worker killed, pool whole again", fun kill/1, 5000},
     {"overflow worker made and dismissed", fun overflow/1, 50000},
     {"a waiter leaves a line of 100", fun leaving/1, 100},
     {"a waiter leaves a line of 1 000", fun leaving/1, 1000},
     {"a waiter leaves a line of 10 000", fun leaving/1, 10000},
     {"call to a gen_server", fun calls/1, 200000},
     {"cast to a gen_server", fun casts/1, 200000},
     {"spawn and exit of a process", fun spawns/1, 20000},
     {"start and exit of a gen_server", fun servers/1, 20000}].

%% COMMAND LINE

main(["--list"]) ->
    {module, poolboy} = code:ensure_loaded(poolboy),
    [io:format("~s~n", [Name]) || {Name, _, _} <- cases()];
main([Name]) ->
    case lists:keyfind(Name, 1, cases()) of
        {_, Measure, N} ->
            logger:set_primary_config(level, none), % of workers that are killed
            io:format("~.1f~n", [float(Measure(N))]);
        false ->
            usage(if Name =:= "--help" -> 0; true -> 2 end)
    end;
main(_) ->
    usage(2).

usage(Status) ->
    io:format(standard_error,
              "Usage: poolboy.escript --list | CASE~n"
              "Measures one of the cases that --list lists, and prints how many "
              "nanoseconds,~nor bytes, each takes.  `make bench` runs them all.~n",
              []),
    halt(Status).

%% CLIENTS

now_ns() ->
    erlang:monotonic_time(nanosecond).

times(0, _Operation) ->
    ok;
times(N, Operation) ->
    Operation(),
    times(N - 1, Operation).

results(0, _Operation) ->
    [];
results(N, Operation) ->
    Result = Operation(),
    [Result | results(N - 1, Operation)].

%% As bench.c does it: each client does a tenth of its share, then all begin.
%% Run runs an operation so many times.
run_clients(NClients, NEach, Operation, Run) ->
    Main = self(),
    Client = fun() ->
                     times(NEach div 10, Operation),
                     Main ! ready,
                     receive go -> ok end,
                     Begin = now_ns(),
                     Result = Run(NEach, Operation),
                     Main ! {done, Begin, now_ns(), Result}
             end,
    Clients = [spawn_link(Client) || _ <- lists:seq(1, NClients)],
    [receive ready -> ok end || _ <- Clients],
    [Pid ! go || Pid <- Clients],
    Done = [receive {done, B, E, R} -> {B, E, R} end || _ <- Clients],
    {Begins, Ends, Results} = lists:unzip3(Done),
    {lists:max(Ends) - lists:min(Begins), Results}.

clients(NClients, NOperations, Operation) ->
    NEach = NOperations div NClients,
    {Time, _} = run_clients(NClients, NEach, Operation, fun times/2),
    Time / (NEach * NClients).

percentile(NClients, NOperations, Operation, Percent) ->
    {_, Results} = run_clients(NClients, NOperations div NClients, Operation,
                               fun results/2),
    Times = lists:sort(lists:append(Results)),
    lists:nth((length(Times) - 1) * Percent div 100 + 1, Times).

%% THE WORKERS

start_link(_Args) ->
    gen_server:start_link(?MODULE, [], []).

init(_Args) ->
    {ok, nothing}.

handle_call(_Request, _From, State) ->
    {reply, ok, State}.

handle_cast(_Request, State) ->
    {noreply, State}.

start_pool(Size) ->
    start_pool(Size, 0).

start_pool(Size, MaxOverflow) ->
    {ok, Pool} = poolboy:start([{name, {local, ?POOL}}, {size, Size},
                                {worker_module, ?MODULE},
                                {max_overflow, MaxOverflow}], []),
    Pool.

%% BORROWING

%% As many as borrowing.c has, and for its reason.
-define(PAIRS, 500000).

borrow(IsPatient) ->
    Worker = poolboy:checkout(?POOL, IsPatient, infinity),
    true = is_pid(Worker),
    poolboy:checkin(?POOL, Worker).

checkouts(NClients) ->
    start_pool(?SIZE),
    clients(NClients, ?PAIRS, fun() -> borrow(false) end).

waiting_checkouts(NClients) ->
    start_pool(?SIZE),
    clients(NClients, ?PAIRS, fun() -> borrow(true) end).

borrow_timed() ->
    Begin = now_ns(),
    Worker = poolboy:checkout(?POOL, true, infinity),
    Duration = now_ns() - Begin,
    poolboy:checkin(?POOL, Worker),
    Duration.

latency(Percent) ->
    start_pool(?SIZE),
    percentile(64, 100000, fun borrow_timed/0, Percent).

transactions(NOperations) ->
    start_pool(?SIZE),
    Call = fun(Worker) -> gen_server:call(Worker, hello, infinity) end,
    Transact = fun() -> ok = poolboy:transaction(?POOL, Call, infinity) end,
    clients(1, NOperations, Transact).

%% Everyone else is lent already, to this process, which is not a client.
overflow(NOperations) ->
    start_pool(?SIZE, 1),
    times(?SIZE, fun() -> poolboy:checkout(?POOL) end),
    clients(1, NOperations, fun() -> borrow(false) end).

%% WORKERS

%% The time of its start; its workers end after poolboy:stop() has returned.
time_start(NWorkers) ->
    NBefore = erlang:system_info(process_count),
    Begin = now_ns(),
    Pool = start_pool(NWorkers),
    Duration = now_ns() - Begin,
    poolboy:stop(Pool),
    await_processes(NBefore),
    Duration.

await_processes(N) ->
    case erlang:system_info(process_count) > N of
        true -> timer:sleep(1), await_processes(N);
        false -> ok
    end.

start(NWorkers) ->
    NPools = 50000 div NWorkers,
    time_start(NWorkers),
    lists:sum(results(NPools, fun() -> time_start(NWorkers) end))
        / (NPools * NWorkers).

%% Garbage is not counted.
allocated() ->
    [erlang:garbage_collect(Pid) || Pid <- processes()],
    erlang:memory(total).

memory(NWorkers) ->
    Before = allocated(),
    start_pool(NWorkers),
    (allocated() - Before) / NWorkers.

await_whole() ->
    case poolboy:status(?POOL) of
        {ready, ?SIZE, 0, 0} -> ok;
        _ -> await_whole()
    end.

%% A worker that is lent: so the pool can't seem whole before it has heard.
time_kill() ->
    Worker = poolboy:checkout(?POOL, false, infinity),
    Begin = now_ns(),
    exit(Worker, kill),
    await_whole(),
    now_ns() - Begin.

kill(NKills) ->
    start_pool(?SIZE),
    lists:sum(results(NKills, fun time_kill/0)) / NKills.

%% WAITERS

%% It is the server's own work that is measured, on its own state, in its own
%% process: what it does with the message of a waiter whose time is over.
-define(LEAVING, 100).
-define(ROUNDS, 50).

leaving(NWaiters) ->
    start_pool(1),
    poolboy:checkout(?POOL),
    add_waiters(NWaiters),
    Leave = fun() ->
                    Time = time_leaving(),
                    add_waiters(?LEAVING),
                    Time
            end,
    lists:sum(results(?ROUNDS, Leave)) / (?LEAVING * ?ROUNDS).

%% The third field of poolboy's state.
waiting(State) ->
    element(4, State).

add_waiters(N) ->
    NBefore = count_waiting(),
    Wait = fun() -> poolboy:checkout(?POOL, true, infinity) end,
    [spawn(Wait) || _ <- lists:seq(1, N)],
    await_waiting(NBefore + N).

count_waiting() ->
    queue:len(waiting(sys:get_state(?POOL, infinity))).

await_waiting(N) ->
    case count_waiting() < N of
        true -> timer:sleep(1), await_waiting(N);
        false -> ok
    end.

time_leaving() ->
    Main = self(),
    Leave = fun(State) ->
                    Messages = [{cancel_waiting, CRef} || CRef <- choose(State)],
                    Begin = now_ns(),
                    NewState = lists:foldl(fun leave/2, State, Messages),
                    Main ! {time, now_ns() - Begin},
                    NewState
            end,
    sys:replace_state(?POOL, Leave, infinity),
    receive {time, Time} -> Time end.

leave(Message, State) ->
    {noreply, NewState} = poolboy:handle_cast(Message, State),
    NewState.

choose(State) ->
    Waiters = [{rand:uniform(), CRef} || {_, CRef, _} <- queue:to_list(waiting(State))],
    [CRef || {_, CRef} <- lists:sublist(lists:sort(Waiters), ?LEAVING)].

%% WITHOUT A POOL

start_server() ->
    {ok, Server} = gen_server:start(?MODULE, [], []),
    Server.

calls(NCalls) ->
    Server = start_server(),
    clients(1, NCalls, fun() -> gen_server:call(Server, hello, infinity) end).

cast_all(Server, NCasts) ->
    times(NCasts, fun() -> gen_server:cast(Server, hello) end),
    gen_server:call(Server, hello, infinity). % has handled them all

casts(NCasts) ->
    Server = start_server(),
    cast_all(Server, NCasts div 10),
    Begin = now_ns(),
    cast_all(Server, NCasts),
    (now_ns() - Begin) / NCasts.

spawns(NProcesses) ->
    Spawn = fun() ->
                    {_, Ref} = spawn_monitor(fun() -> ok end),
                    receive {'DOWN', Ref, _, _, _} -> ok end
            end,
    clients(1, NProcesses, Spawn).

servers(NServers) ->
    StartAndKill = fun() ->
                           Server = start_server(),
                           Ref = monitor(process, Server),
                           exit(Server, kill),
                           receive {'DOWN', Ref, _, _, _} -> ok end
                   end,
    clients(1, NServers, StartAndKill).
