DROP TABLE job_run;
DROP TABLE job;
