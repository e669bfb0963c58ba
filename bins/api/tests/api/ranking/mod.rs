mod today;
